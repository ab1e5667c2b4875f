"""Edge cases of overfitting."""

import math
import random

from trainlint.runtime.signals import Layer

RULE = "overfitting"


def evaluated(run, validations, *, training=None, every=20):
    """Show the steps between evaluations and each evaluation in the step after; return what is said."""
    found = []
    for number, validation in enumerate(validations):
        level = 2.0 * 0.8**number if training is None else training[number]
        found += run.steps(every, loss=level)
        found += run.step(loss=level, val_loss=validation)
    return found


RISING = [1.0, 0.8, 0.7, 0.75, 0.82, 0.9, 1.0, 1.1]


def test_a_validation_loss_that_rises_is_said_once(training):
    (found,) = evaluated(training(RULE), RISING)
    assert "from 0.7 at step 63" in found.message
    assert "keep the weights of step 63" in found.remedy
    assert "dropout" in found.remedy


def test_dropout_that_is_there_is_not_advised(training):
    run = training(RULE, layers=[Layer("drop", "Dropout", 0)])
    assert "dropout" not in evaluated(run, RISING)[0].remedy


def test_few_evaluations_or_a_small_rise_prove_nothing(training):
    assert not evaluated(training(RULE), [0.7, 0.9, 1.0, 1.1])
    assert not evaluated(training(RULE), [1.0, 0.8, 0.70, 0.71, 0.72, 0.73, 0.73])


def test_a_training_loss_that_rises_too_is_no_overfitting(training):
    assert not evaluated(training(RULE), RISING, training=RISING)


def test_a_validation_loss_that_comes_down_again_is_left_alone(training):
    assert not evaluated(training(RULE), [1.0, 0.8, 0.7, 0.9, 0.85, 0.8, 0.75, 0.7, 0.65])


def test_noise_is_no_rise(training):
    for seed in range(200):
        chance = random.Random(seed)  # noqa: S311 - no secret
        noise = chance.choice([0.01, 0.05, 0.1, 0.2])
        values = [
            (0.5 + math.exp(-number / 5)) * math.exp(noise * chance.gauss(0, 1))
            for number in range(40)
        ]
        assert not evaluated(training(RULE), values, every=1), seed


def test_alternating_optimizers_and_odd_values_are_left_alone(training):
    assert not evaluated(training(RULE, alternates=True), RISING)
    assert not evaluated(training(RULE), [math.nan, math.inf, 0.0, -1.0] * 5)
