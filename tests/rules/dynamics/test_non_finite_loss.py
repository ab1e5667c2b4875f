"""Edge cases of non-finite-loss."""

import math

import pytest

from trainlint.core.diagnosis import Severity
from trainlint.runtime.signals import Parameter, Role

RULE = "non-finite-loss"


@pytest.mark.parametrize(("loss", "what"), [(math.nan, "NaN"), (math.inf, "infinite")])
def test_it_is_said_at_once_and_once_per_streak(training, loss, what):
    run = training(RULE)
    assert not run.steps(3, loss=0.5)
    (found,) = run.step(loss=loss)
    assert found.severity is Severity.ERROR
    assert what in found.message
    assert "it was 0.5 the last time" in found.message
    assert not run.steps(5, loss=loss)
    assert not run.step(loss=0.5)
    assert run.step(loss=loss)


def test_a_first_loss_that_is_not_finite_asks_for_the_data(training):
    (found,) = training(RULE).step(loss=math.nan)
    assert "NaN in the inputs and targets" in found.remedy


def test_a_loss_that_grew_asks_for_a_lower_rate(training):
    run = training(RULE)
    run.series(loss=[1.0, 10.0, 1e3, 1e8])
    (found,) = run.step(loss=math.inf, learning_rate=0.3)
    assert "a learning rate of 0.1 instead of 0.3" in found.remedy


def test_a_calm_loss_asks_for_the_operation(training):
    run = training(RULE)
    run.steps(10, loss=1.0)
    assert "log of 0" in run.step(loss=math.inf)[0].remedy


def test_float16_asks_for_another_type(training):
    weight = Parameter("fc.weight", "fc", "Linear", (2, 2), Role.WEIGHT, dtype="float16")
    (found,) = training(RULE, parameters=[weight]).step(loss=math.nan)
    assert "bfloat16" in found.remedy


def test_alternating_optimizers_are_no_excuse(training):
    assert training(RULE, alternates=True).step(loss=math.nan)


def test_large_and_negative_losses_are_finite(training):
    assert not training(RULE).series(loss=[-5.0, 0.0, 1e30])
