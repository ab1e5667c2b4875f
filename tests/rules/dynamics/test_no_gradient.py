"""Edge cases of no-gradient."""

import pytest

from trainlint.runtime.signals import Activation, Layer, Origin, Parameter, Role

RULE = "no-gradient"


def layer(name, depth, **settings):
    return Layer(name, "Linear", depth, "4→4", weight=f"{name}.weight", **settings)


def parameter(name, depth=-1, role=Role.WEIGHT, **settings):
    settings = {"optimizer": 0, "learning_rate": 0.1, **settings}
    own, _, _ = name.rpartition(".")
    return Parameter(
        name, own, "Linear", (4, 4), role, depth, origin=Origin("model.py", 20), **settings
    )


LAYERS = (layer("a", 0, origin=Origin("model.py", 10)), layer("b", 1), layer("c", 2))
PARAMETERS = (parameter("a.weight", 0), parameter("b.weight", 1), parameter("c.weight", 2))


def seen(missing=(), zero=(), names=("a.weight", "b.weight", "c.weight"), **others):
    return {
        "gradient_missing": {name: float(name in missing) for name in names},
        "gradient_max": {name: float(name not in zero) for name in names if name not in missing},
        **others,
    }


def test_a_parameter_without_gradients_is_said_once_after_ten_steps(training):
    run = training(RULE, layers=LAYERS, parameters=PARAMETERS)
    assert not run.steps(9, **seen(missing=["a.weight"]))
    (found,) = run.step(**seen(missing=["a.weight"]))
    assert (found.moment.layer, found.span.line) == ("a", 10)
    assert "between `a` and the loss" in found.remedy
    assert not run.steps(200, **seen(missing=["a.weight"]))


def test_a_gradient_of_exactly_nothing_is_none(training):
    run = training(RULE, layers=LAYERS, parameters=PARAMETERS)
    (found,) = run.steps(10, **seen(zero=["a.weight"]))
    assert "multiplies by 0" in found.remedy


def test_who_has_had_one_gradient_may_do_without(training):
    run = training(RULE, layers=LAYERS, parameters=PARAMETERS)
    run.step(**seen())
    assert not run.steps(50, **seen(missing=["a.weight"], zero=["b.weight"]))


def test_layers_before_one_cut_are_told_of_together_at_the_last_of_them(training):
    run = training(RULE, layers=LAYERS, parameters=PARAMETERS)
    (found,) = run.steps(10, **seen(missing=["a.weight", "b.weight"]))
    assert found.moment.layer == "b"
    assert "(and 1 other layers)" in found.message


def test_a_layer_that_does_not_run_is_not_told_of_with_those_before_a_cut(training):
    unused = parameter("unused.weight")
    run = training(RULE, layers=LAYERS, parameters=(*PARAMETERS, unused))
    names = [one.name for one in (*PARAMETERS, unused)]
    found = run.steps(10, **seen(missing=["a.weight", "unused.weight"], names=names))
    assert [one.moment.layer for one in found] == ["unused.weight", "a"]
    assert "not seen to run" in found[0].message
    assert found[0].span.line == 20


def test_a_module_runs_if_something_inside_of_it_does(training):
    token = parameter("b.token")
    layers = (layer("a", 0), layer("b.proj", 1))
    run = training(RULE, layers=layers, parameters=(token,))
    (found,) = run.steps(10, **seen(missing=["b.token"], names=["b.token"]))
    assert "though it runs" in found.message
    assert "whether `b.token` is used for such a batch; then look between `b` and" in found.remedy


@pytest.mark.parametrize(
    "settings", [{"trainable": False}, {"learning_rate": 0.0}, {"optimizer": -1}]
)
def test_what_is_not_trained_is_not_judged(training, settings):
    run = training(RULE, layers=LAYERS, parameters=[parameter("a.weight", 0, **settings)])
    assert not run.steps(20, **seen(missing=["a.weight"], names=["a.weight"]))


def test_what_need_not_be_waited_for_any_more_is_told_of_at_once(training):
    own = (parameter("stem.weight", 0), parameter("scale.weight", 1), *blocks(2, 3))
    names = [one.name for one in own]
    run = training(RULE, parameters=own)
    assert not run.steps(20, **seen(zero=["scale.weight", "blocks.2.weight"], names=names))
    chosen = seen(zero=["scale.weight"], names=names)
    (found,) = run.step(**chosen)
    assert "`scale.weight`" in found.message
    assert "in 21 measured steps" in found.message
    assert not run.steps(200, **chosen)


def test_one_of_several_experts_is_waited_for(training):
    experts = [parameter(f"experts.{at}.weight", at) for at in range(2)]
    names = [one.name for one in experts]
    run = training(RULE, parameters=experts)
    lazy = seen(missing=["experts.1.weight"], names=names)
    assert not run.steps(99, **lazy)
    assert run.step(**lazy)


def test_a_bias_that_the_loss_ignores_is_healthy(training):
    bias = parameter("a.bias", 0, role=Role.BIAS)
    run = training(RULE, layers=LAYERS, parameters=(*PARAMETERS, bias))
    names = [one.name for one in (*PARAMETERS, bias)]
    assert not run.steps(20, **seen(zero=["a.bias"], names=names))


def test_dead_units_explain_a_gradient_of_nothing_but_not_a_missing_one(training):
    act = Layer("act", "ReLU", 3, activation=Activation.RELU)
    dead = {"dead_units": {"act": 1.0}}
    run = training(RULE, layers=(*LAYERS, act), parameters=PARAMETERS)
    assert not run.steps(20, **seen(zero=["a.weight"], **dead))
    run = training(RULE, layers=(*LAYERS, act), parameters=PARAMETERS)
    assert run.steps(20, **seen(missing=["a.weight"], **dead))


def blocks(*depths):
    return tuple(parameter(f"blocks.{depth}.weight", depth) for depth in depths)


def test_a_numbered_layer_that_runs_without_a_gradient_is_cut_off_and_not_waited_for(training):
    own = blocks(0, 1, 2)
    names = [one.name for one in own]
    run = training(RULE, layers=(layer("blocks.0", 0),), parameters=own)
    rms = {"blocks.0": 1.0}
    (found,) = run.steps(10, **seen(missing=["blocks.0.weight"], names=names), rms=rms)
    assert "`blocks.0.weight`" in found.message
    run = training(RULE, layers=(layer("blocks.0", 0),), parameters=own)
    assert not run.steps(10, **seen(missing=["blocks.0.weight"], names=names))


def test_a_numbered_layer_of_zeros_is_waited_for_where_something_before_it_is_reached(training):
    own = blocks(0, 1, 2)
    names = [one.name for one in own]
    run = training(RULE, parameters=own)
    assert not run.steps(20, **seen(zero=["blocks.1.weight"], names=names))
    run = training(RULE, parameters=own)
    assert run.steps(20, **seen(zero=["blocks.0.weight"], names=names))


def test_zeros_that_are_tiny_gradients_rounded_have_another_cause(training):
    run = training(RULE, layers=LAYERS, parameters=PARAMETERS)
    signals = seen(zero=["a.weight"])
    signals["gradient_max"]["b.weight"] = 1e-38
    assert not run.steps(20, **signals)


@pytest.mark.parametrize(
    ("optimizers", "said"), [((), "it cannot learn"), (None, "it never learns")]
)
def test_where_there_is_no_optimizer_nothing_is_said_of_one(training, optimizers, said):
    settings = {} if optimizers is None else {"optimizers": optimizers}
    run = training(RULE, layers=LAYERS, parameters=PARAMETERS, **settings)
    (found,) = run.steps(10, **seen(missing=["a.weight"]))
    assert found.message.endswith(said)
    assert ("optimizer" in found.message) is (optimizers is None)


def test_what_is_before_a_part_that_was_not_chosen_is_waited_for_as_well(training):
    own = (parameter("stem.weight", 0), parameter("scale.weight", 1), *blocks(2, 3))
    names = [one.name for one in own]
    run = training(RULE, parameters=own)
    assert not run.steps(20, **seen(zero=["scale.weight", "blocks.2.weight"], names=names))
    run = training(RULE, parameters=own)
    assert run.steps(20, **seen(zero=["scale.weight"], names=names))
