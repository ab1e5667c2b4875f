"""Edge cases of non-finite-gradient."""

import math

import pytest

from trainlint.runtime.signals import Layer, Origin, Parameter, Role

RULE = "non-finite-gradient"


def model(*, dtype="float32", **settings):
    settings = {"optimizer": 0, "learning_rate": 0.1, **settings}
    layers = [
        Layer(f"fc{at}", "Linear", at, "4→4", origin=Origin("model.py", 10 + at)) for at in range(3)
    ]
    parameters = [
        Parameter(
            f"fc{at}.weight", f"fc{at}", "Linear", (4, 4), Role.WEIGHT, at, dtype=dtype, **settings
        )
        for at in range(3)
    ]
    return {"layers": layers, "parameters": parameters}


def counts(*values, **others):
    names = [f"fc{at}.weight" for at in range(len(values))]
    return {"gradient_non_finite": dict(zip(names, values, strict=True)), **others}


def test_the_first_layer_of_the_backward_pass_is_named_at_once(training):
    run = training(RULE, **model())
    assert not run.step(**counts(0, 0, 0))
    (found,) = run.step(**counts(16, 3, 0, non_finite={"fc1": 0.0}))
    assert (found.moment.layer, found.span.line) == ("fc1", 11)
    assert "3 of 16 elements, before 1 others" in found.message
    assert "the layer's own output was finite" in found.message


def test_it_is_said_once(training):
    run = training(RULE, **model())
    assert run.step(**counts(0, 0, 1))
    assert not run.steps(20, **counts(16, 16, 16))


def test_a_grad_scaler_meets_such_gradients_by_design(training):
    run = training(RULE, **model())
    assert not run.steps(5, **counts(16, 16, 16, skipped=3))


@pytest.mark.parametrize(
    "settings", [{"trainable": False}, {"learning_rate": 0.0}, {"optimizer": -1}]
)
def test_what_is_not_trained_is_not_judged(training, settings):
    assert not training(RULE, **model(**settings)).step(**counts(0, 0, 1))


def test_a_count_that_is_none_itself_is_borne(training):
    (found,) = training(RULE, **model()).step(**counts(0, 0, math.nan))
    assert "an unknown number" in found.message


def test_the_remedy_is_chosen_by_the_values_behind(training):
    (found,) = training(RULE, **model()).step(**counts(0, 1, 0, largest={"fc1": 200.0}))
    assert "`exp`" in found.remedy
    (found,) = training(RULE, **model()).step(**counts(0, 1, 0, largest={"fc0": 200.0}))
    assert "`sqrt`" in found.remedy
    (found,) = training(RULE, **model(dtype="float16")).step(**counts(0, 1, 0))
    assert "bfloat16" in found.remedy
