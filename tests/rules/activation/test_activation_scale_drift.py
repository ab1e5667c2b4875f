"""Edge cases of activation-scale-drift."""

import math

import pytest

from trainlint.runtime.signals import Layer, Origin

RULE = "activation-scale-drift"


def model(count=5, **settings):
    return [
        Layer(
            f"fc{at}",
            "Linear",
            at,
            "8→8",
            weight=f"fc{at}.weight",
            fan_in=8,
            fan_out=8,
            is_output=at == count - 1,
            origin=Origin("model.py", 10 + at),
            **settings,
        )
        for at in range(count)
    ]


def scales(*values, **others):
    return {"rms": {f"fc{at}": value for at, value in enumerate(values)}, **others}


def test_a_scale_that_grows_a_thousandfold_with_depth_is_said_once_after_five_steps(training):
    run = training(RULE, layers=model())
    assert not run.steps(4, **scales(1.0, 10.0, 200.0, 5000.0, 1.0))
    (found,) = run.step(**scales(1.0, 10.0, 200.0, 5000.0, 1.0))
    assert (found.moment.layer, found.span.line) == ("fc3", 13)
    assert "grows with depth, from 1 at `fc0`" in found.message
    assert not run.steps(20, **scales(1.0, 10.0, 200.0, 5000.0, 1.0))


def test_a_scale_that_shrinks_is_no_better(training):
    (found,) = training(RULE, layers=model()).steps(5, **scales(1.0, 0.1, 1e-2, 1e-4, 1.0))
    assert "shrinks with depth" in found.message


def test_a_factor_of_a_hundred_is_healthy_and_the_output_does_not_count(training):
    run = training(RULE, layers=model())
    assert not run.steps(9, **scales(1.0, 1.0, 10.0, 100.0, 1e9))


@pytest.mark.parametrize("kind", [{"is_norm": True}, {"weight": ""}])
def test_only_layers_with_weights_are_compared(training, kind):
    layers = [
        Layer(f"fc{at}", "Linear", at, **{"weight": "w", "is_norm": False, **kind})
        for at in range(4)
    ]
    assert not training(RULE, layers=layers).steps(9, **scales(1.0, 1.0, 1.0, 1e6))


def test_two_hidden_layers_are_no_depth(training):
    assert not training(RULE, layers=model(3)).steps(9, **scales(1.0, 1e6, 1.0))


def test_a_layer_that_grows_a_hundredfold_since_step_100_is_said_with_those_that_follow(training):
    run = training(RULE, layers=model(), since=10)
    run.steps(10, **scales(1.0, 1.0, 1.0, 1.0, 1.0))
    grown = scales(1.0, 150.0, 150.0, 150.0, 1.0)
    assert not run.steps(4, **grown)
    (found,) = run.step(**grown)
    assert found.moment.layer == "fc1"
    assert "from 1 at step 10 to 150" in found.message
    assert "2 other layers" in found.message
    assert "`fc1.weight`" in found.remedy


def test_a_branch_that_began_at_nothing_may_grow(training):
    run = training(RULE, layers=model(), since=10)
    run.steps(10, **scales(1.0, 1e-6, 1.0, 1.0))
    assert not run.steps(20, **scales(1.0, 0.5, 1.0, 1.0))


def test_the_remedy_tells_sums_from_layers(training):
    values = (1.0, 10.0, 200.0, 5000.0)
    given = {"input_rms": {f"fc{at}": value for at, value in enumerate(values)}}
    (found,) = training(RULE, layers=model()).steps(5, **scales(*values, **given))
    assert "1/sqrt(2·depth)" in found.remedy
    (found,) = training(RULE, layers=model()).steps(5, **scales(*values))
    assert "initialisation" in found.remedy


def test_values_that_are_none_are_borne(training):
    run = training(RULE, layers=model())
    assert not run.steps(9, **scales(1.0, math.nan, 0.0, math.inf, 1.0))
