"""Edge cases of half-precision-overflow."""

import math

from trainlint.core.diagnosis import Severity
from trainlint.runtime.signals import Layer, Origin

RULE = "half-precision-overflow"
LAYERS = (
    Layer("fc1", "Linear", 0, "8→8", weight="fc1.weight", origin=Origin("model.py", 4)),
    Layer("fc2", "Linear", 1, "8→8", weight="fc2.weight", origin=Origin("model.py", 5)),
)


def beyond(first, second, *, loss=1.0, **others):
    return {"half_overflow": {"fc1": first, "fc2": second}, "loss": loss, **others}


def test_values_beyond_the_range_are_said_once_for_the_first_layer(training):
    run = training(RULE, layers=LAYERS)
    assert not run.steps(2, **beyond(0.01, 0.5))
    (found,) = run.step(**beyond(0.01, 0.5))
    assert found.severity is Severity.ERROR
    assert (found.path, found.span.line) == ("model.py", 4)
    assert "bfloat16" in found.remedy
    assert not run.steps(20, **beyond(0.01, 0.5))


def test_a_loss_that_is_lost_by_it_is_said_at_once(training):
    run = training(RULE, layers=LAYERS)
    (found,) = run.step(**beyond(0.0, 0.5, loss=math.nan))
    assert found.moment.layer == "fc2"
    assert not run.steps(20, **beyond(0.5, 0.5, loss=math.nan))


def test_a_value_in_a_million_is_fine(training):
    assert not training(RULE, layers=LAYERS).steps(20, **beyond(1e-6, 0.0))


def test_scores_that_are_masked_with_minus_infinity_are_fine(training):
    mean = {"fc1": -math.inf, "fc2": 0.0}
    assert not training(RULE, layers=LAYERS).steps(20, **beyond(0.5, 0.0, mean=mean))


def test_a_layer_that_recovers_may_be_said_again(training):
    run = training(RULE, layers=LAYERS)
    run.steps(3, **beyond(0.1, 0.0))
    run.step(**beyond(0.0, 0.0))
    assert run.steps(3, **beyond(0.1, 0.0))


def test_nan_says_nothing(training):
    assert not training(RULE, layers=LAYERS).steps(20, **beyond(math.nan, math.nan))


def test_thresholds_are_settings(training):
    assert training(RULE, layers=LAYERS, share=1e-7, patience=1).step(**beyond(1e-6, 0.0))
