"""Edge cases of oscillating-loss."""

import math
import random

import pytest

from trainlint.runtime.signals import Optimizer

RULE = "oscillating-loss"


def waves(period, amplitude=0.6, noise=0.1, count=300):
    chance = random.Random(0)  # noqa: S311 - no secret
    return [
        1 + amplitude * math.sin(2 * math.pi * step / period) + noise * chance.gauss(0, 1)
        for step in range(count)
    ]


@pytest.mark.parametrize("period", [3, 5.7, 10, 16])
def test_a_rhythm_is_said_once_with_its_period(training, period):
    found = training(RULE).series(loss=waves(period), learning_rate=[0.3] * 300)
    assert len(found) == 1
    assert found[0].moment.evidence[1].value == pytest.approx(period, rel=0.35)
    assert "a learning rate of 0.1 instead of 0.3" in found[0].remedy


def test_a_momentum_that_is_too_large_is_named(training):
    run = training(RULE, optimizers=(Optimizer("SGD", 0.1, momentum=0.99),))
    assert "a momentum of 0.9 instead of 0.99" in run.series(loss=waves(10))[0].remedy


def test_small_swings_are_none(training):
    assert not training(RULE).series(loss=waves(10, amplitude=0.2, noise=0.02))


def test_swings_far_below_the_start_are_small(training):
    assert not training(RULE).series(loss=[20.0] * 20 + waves(10))


def test_swings_with_the_rate_are_the_schedule(training):
    rates = [0.1 + 0.05 * math.sin(2 * math.pi * step / 16) for step in range(300)]
    assert not training(RULE).series(loss=waves(16), learning_rate=rates)


@pytest.mark.parametrize("noise", [0.3, 1.0, 3.0])
def test_noise_of_any_size_is_no_rhythm(training, noise):
    for seed in range(60):
        chance = random.Random(seed)  # noqa: S311 - no secret
        losses = [math.exp(noise * chance.gauss(0, 1)) for _ in range(640)]
        assert not training(RULE).series(loss=losses)


def test_alternating_optimizers_and_odd_values_are_left_alone(training):
    assert not training(RULE, alternates=True).series(loss=waves(10))
    assert not training(RULE).series(loss=[math.nan, math.inf, -1.0, 0.0] * 100)


def test_healthy_trainings_are_left_alone(alarms, healthy_curves):
    assert alarms(RULE, healthy_curves) == []
