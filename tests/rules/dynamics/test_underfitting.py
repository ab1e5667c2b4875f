"""Edge cases of underfitting."""

import math
import random

from trainlint.core.diagnosis import Severity
from trainlint.runtime.signals import Layer, Optimizer

RULE = "underfitting"


def evaluated(run, levels, *, ratio=1.0, every=20, **signals):
    """Show a start at 1, then the steps of each evaluation at its level."""
    chance = random.Random(0)  # noqa: S311 - no secret
    found = run.steps(10, loss=1.0)
    for level in levels:
        for _ in range(every):
            found += run.step(loss=level * (1 + 0.005 * chance.gauss(0, 1)), **signals)
        found += run.step(loss=level, val_loss=level * ratio, **signals)
    return found


def test_a_high_flat_loss_is_advice_once(training):
    run = training(
        RULE,
        optimizers=(Optimizer("SGD", 0.1, weight_decay=0.01),),
        layers=[Layer("drop", "Dropout", 0)],
    )
    (found,) = evaluated(run, [0.8] * 30)
    assert found.severity is Severity.ADVICE
    assert "80% of its start" in found.message
    assert "a weight decay under 0.01" in found.remedy
    assert "less dropout (`drop`)" in found.remedy


def test_a_low_or_a_falling_loss_fits(training):
    assert not evaluated(training(RULE), [0.4] * 30)
    assert not evaluated(training(RULE), [0.9 * 0.99**number for number in range(30)])


def test_a_worse_validation_loss_is_for_another_rule(training):
    assert not evaluated(training(RULE), [0.8] * 30, ratio=1.2)


def test_few_evaluations_prove_nothing(training):
    assert not evaluated(training(RULE), [0.8] * 9)


def test_the_end_of_a_schedule_is_flat_by_design(training):
    run = training(RULE)
    evaluated(run, [0.9, 0.8], learning_rate=0.1)
    assert not evaluated(run, [0.8] * 30, learning_rate=1e-4)


def test_alternating_optimizers_and_odd_values_are_left_alone(training):
    assert not evaluated(training(RULE, alternates=True), [0.8] * 30)
    assert not evaluated(training(RULE), [math.nan, math.inf, 0.0, -1.0] * 10)
