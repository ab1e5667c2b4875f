"""Edge cases of saturated-activation."""

import math

import pytest

from trainlint.runtime.signals import Activation, Layer, Origin, Parameter, Role

RULE = "saturated-activation"


def tanh(name="act", depth=1, **settings):
    settings = {"kind": "Tanh", "activation": Activation.TANH, **settings}
    return Layer(name, depth=depth, origin=Origin("model.py", 10 + depth), **settings)


BEFORE = Layer(
    "fc",
    "Linear",
    0,
    "20→64",
    weight="fc.weight",
    fan_in=20,
    fan_out=64,
    followed_by=Activation.TANH,
    origin=Origin("model.py", 10),
)


def flat(share=0.9, name="act", **others):
    return {"saturated": {name: share}, **others}


def test_half_the_outputs_for_five_steps_are_said_once_per_streak(training):
    run = training(RULE, layers=(BEFORE, tanh()))
    assert not run.steps(4, **flat())
    (found,) = run.step(**flat())
    assert (found.moment.layer, found.span.line) == ("act", 11)
    assert "90% of the outputs" in found.message
    assert not run.steps(20, **flat())
    run.step(**flat(0.1))
    assert len(run.steps(5, **flat())) == 1


def test_less_than_half_is_healthy(training):
    assert not training(RULE, layers=(BEFORE, tanh())).steps(20, **flat(0.5))


def test_units_that_are_always_flat_count_only_in_a_large_batch(training):
    units = {"saturated_units": {"act": 0.4}}
    run = training(RULE, layers=(BEFORE, tanh()))
    assert not run.steps(20, **flat(0.45, **units, batch_size=8))
    assert not run.steps(20, **flat(0.45, **units))
    (found,) = run.steps(20, **flat(0.45, **units, batch_size=128))
    assert "40% of the units" in found.message


@pytest.mark.parametrize(
    "layer",
    [
        tanh("act", is_output=True),
        tanh("act", kind="relu", activation=Activation.RELU),
        tanh("act", kind="softmax", activation=Activation.SOFTMAX),
    ],
)
def test_outputs_softmax_functions_and_other_activations_are_left_alone(training, layer):
    assert not training(RULE, layers=(BEFORE, layer)).steps(20, **flat())


@pytest.mark.parametrize("name", ["cell.gate", "attention.act", "router"])
def test_what_is_meant_to_be_open_or_shut_is_left_alone(training, name):
    run = training(RULE, layers=(BEFORE, tanh(name)))
    assert not run.steps(20, **flat(name=name))


def test_a_sigmoid_that_runs_over_time_is_a_gate_but_a_tanh_is_not(training):
    calls = {"calls": {"act": 12.0}}
    sigmoid = tanh("act", kind="sigmoid", activation=Activation.SIGMOID)
    assert not training(RULE, layers=(BEFORE, sigmoid)).steps(20, **flat(**calls))
    assert training(RULE, layers=(BEFORE, sigmoid)).steps(20, **flat())
    assert training(RULE, layers=(BEFORE, tanh())).steps(20, **flat(**calls))


def test_a_softmax_module_inside_of_the_network_is_judged(training):
    softmax = tanh("act", kind="Softmax", activation=Activation.SOFTMAX)
    assert training(RULE, layers=(BEFORE, softmax)).steps(5, **flat())


def test_of_a_saturated_stack_the_first_layer_is_told_of(training):
    layers = (BEFORE, *(tanh(f"act{at}", at) for at in range(1, 4)))
    run = training(RULE, layers=layers)
    both = {"saturated": {"act1": 0.2, "act2": 0.9, "act3": 0.9}}
    (found,) = run.steps(5, **both)
    assert found.moment.layer == "act2"
    assert "1 other layers" in found.message
    assert not run.steps(20, saturated={"act1": 0.9, "act2": 0.9, "act3": 0.9})


def test_the_remedy_is_chosen_by_what_makes_the_input_large(training):
    layers = (BEFORE, tanh())
    (found,) = training(RULE, layers=layers).steps(5, **flat(input_rms={"fc": 120.0}))
    assert (
        "the input of `fc` (Linear 20→64, model.py:10) has a root mean square of 120"
        in found.remedy
    )
    (found,) = training(RULE, layers=layers).steps(5, **flat(input_rms={"fc": 1.0}))
    assert "Glorot initialisation" in found.remedy
    run = training(RULE, layers=layers)
    run.step(**flat(0.1))
    (found,) = run.steps(5, **flat())
    assert "put a normalisation" in found.remedy


def test_a_share_that_is_no_number_is_borne(training):
    assert not training(RULE, layers=(BEFORE, tanh())).steps(20, **flat(math.nan))


def test_weights_that_the_first_steps_have_moved_far_ask_for_a_lower_rate(training):
    weight = Parameter(
        "fc.weight", "fc", "Linear", (8, 8), Role.WEIGHT, optimizer=0, learning_rate=1.0
    )
    run = training(RULE, layers=(BEFORE, tanh()), parameters=[weight])
    run.step(learning_rate=1.0)
    (found,) = run.steps(5, **flat(update_ratio={"fc.weight": 0.8}, learning_rate=1.0))
    assert found.remedy.startswith("try a learning rate of 0.1 instead of 1")
