"""Edge cases of collapsed-representation."""

import math

from trainlint.runtime.signals import Activation, Layer, Origin, Parameter, Role

RULE = "collapsed-representation"
LAYERS = tuple(
    Layer(
        f"fc{at}",
        "Linear",
        at,
        "8→8",
        weight=f"fc{at}.weight",
        fan_in=8,
        fan_out=8,
        is_output=at == 3,
        origin=Origin("model.py", 10 + at),
    )
    for at in range(4)
)


def spreads(*values, scale=1.0, **others):
    names = [f"fc{at}" for at in range(len(values))]
    return {
        "batch_variance": dict(zip(names, values, strict=True)),
        "rms": dict.fromkeys(names, scale),
        **others,
    }


COLLAPSED = (0.5, 1e-8, 1e-8, 1e-8)


def test_the_first_layer_that_forgets_its_input_is_said_once_after_five_steps(training):
    run = training(RULE, layers=LAYERS)
    assert not run.steps(4, **spreads(*COLLAPSED))
    (found,) = run.step(**spreads(*COLLAPSED))
    assert (found.moment.layer, found.span.line) == ("fc1", 11)
    assert "1.0e-08 of its mean square (bound 1e-06)" in found.message
    assert not run.steps(20, **spreads(*COLLAPSED))


def test_one_step_that_varies_begins_the_patience_anew(training):
    run = training(RULE, layers=LAYERS)
    run.steps(4, **spreads(*COLLAPSED))
    run.step(**spreads(0.5, 0.5, 0.5, 0.5))
    assert not run.steps(4, **spreads(*COLLAPSED))


def test_a_branch_on_a_constant_is_healthy_where_what_comes_behind_varies(training):
    run = training(RULE, layers=LAYERS)
    assert not run.steps(9, **spreads(0.5, 1e-9, 1e-9, 0.5))


def test_a_constant_from_the_first_layer_on_is_the_inputs_doing(training):
    assert not training(RULE, layers=LAYERS).steps(9, **spreads(1e-9, 1e-9, 1e-9, 1e-9))


def test_the_output_alone_is_another_matter(training):
    assert not training(RULE, layers=LAYERS).steps(9, **spreads(0.5, 0.5, 0.5, 1e-9))


def test_dead_units_and_outputs_of_nothing_are_another_matter(training):
    act = Layer("act", "ReLU", 4, activation=Activation.RELU)
    run = training(RULE, layers=(*LAYERS, act))
    assert not run.steps(9, **spreads(*COLLAPSED, dead_units={"act": 0.9}))
    assert not run.steps(9, **spreads(*COLLAPSED, scale=0.0))


def test_the_remedy_is_chosen_by_when_it_began_and_by_the_decay(training):
    (found,) = training(RULE, layers=LAYERS).steps(5, **spreads(*COLLAPSED))
    assert "from the first step" in found.remedy
    run = training(RULE, layers=LAYERS)
    run.step(**spreads(0.5, 0.5, 0.5, 0.5))
    (found,) = run.steps(5, **spreads(*COLLAPSED))
    assert "a learning rate of 0.033 instead of 0.1" in found.remedy
    weight = Parameter(
        "fc1.weight", "fc1", "Linear", (8, 8), Role.WEIGHT, 1, optimizer=0, weight_decay=0.5
    )
    (found,) = training(RULE, layers=LAYERS, parameters=[weight]).steps(5, **spreads(*COLLAPSED))
    assert "weight decay of 0.5 has shrunk `fc1.weight`" in found.remedy


def test_values_that_are_none_are_borne(training):
    assert not training(RULE, layers=LAYERS).steps(9, **spreads(0.5, math.nan, math.inf, 0.1))
