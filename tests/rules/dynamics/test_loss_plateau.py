"""Edge cases of loss-plateau."""

import math
import random

import pytest

from trainlint.runtime.signals import Optimizer

RULE = "loss-plateau"


def noisy(level, count, noise=0.02, seed=0):
    chance = random.Random(seed)  # noqa: S311 - no secret
    return [level * (1 + noise * chance.gauss(0, 1)) for _ in range(count)]


def test_a_flat_loss_is_said_once_after_two_hundred_steps(training):
    found = training(RULE).series(loss=noisy(1.0, 600))
    assert len(found) == 1
    assert 200 <= found[0].moment.step <= 260
    assert "it has not fallen since the start" in found[0].message


def test_a_noisier_loss_takes_longer(training):
    found = training(RULE, least=0.05).series(loss=noisy(1.0, 4000, 0.2))
    assert [one.rule for one in found] == [RULE]
    assert found[0].moment.step > 400


@pytest.mark.parametrize("tau", [100, 1000, 5000])
def test_a_slow_fall_is_a_fall(training, tau):
    losses = [one * math.exp(-step / tau) for step, one in enumerate(noisy(1.0, 2000))]
    assert not training(RULE).series(loss=losses)


def test_a_floor_that_was_reached_in_twenty_steps_is_no_plateau(training):
    fall = [1.0 + 2.0 * math.exp(-step / 5) for step in range(1000)]
    losses = [one * other for one, other in zip(fall, noisy(1.0, 1000), strict=True)]
    assert not training(RULE).series(loss=losses)


def test_two_epochs_are_waited_for_where_they_are_known(training):
    losses, epochs = noisy(1.0, 600), [float(step // 250) for step in range(600)]
    (found,) = training(RULE).series(loss=losses, epoch=epochs)
    assert found.moment.step > 500


def test_a_cross_entropy_is_compared_with_a_guess(training):
    chance = math.log(10)
    for level, count in ((chance, 1), (0.6 * chance, 0)):
        losses = noisy(level, 400)
        run = training(RULE)
        found = run.series(loss=losses, class_loss=losses, classes=[10.0] * 400)
        assert len(found) == count
    drop = [6.0 * 0.7**step for step in range(10)]
    losses = [one + chance for one in drop] + noisy(chance, 500)
    (found,) = training(RULE).series(loss=losses, class_loss=losses, classes=[10.0] * 510)
    assert "a guess among 10 classes has 2.3" in found.message


def test_a_training_that_goes_on_may_be_at_its_floor(training):
    run = training(RULE, optimizers=(Optimizer("Adam", 0.1, has_state=True),))
    assert not run.series(loss=noisy(1.0, 600))


def test_what_was_learned_and_is_lost_is_said(training):
    fall = [0.1 + 0.9 * math.exp(-step / 50) for step in range(400)]
    found = training(RULE).series(loss=[*fall, *noisy(1.0, 500)], learning_rate=[0.3] * 900)
    assert len(found) == 1
    assert "its level had been 0.1" in found[0].message
    assert "a learning rate of 0.1 instead of 0.3" in found[0].remedy


def test_nothing_is_said_while_the_rate_rises(training):
    rates = [0.1 * (step + 1) / 500 for step in range(500)]
    assert not training(RULE).series(loss=noisy(1.0, 500), learning_rate=rates)


def test_alternating_optimizers_need_not_fall(training):
    assert not training(RULE, alternates=True).series(loss=noisy(1.0, 600))


def test_losses_about_zero_prove_nothing(training):
    chance = random.Random(0)  # noqa: S311 - no secret
    losses = [chance.gauss(0, 1) for _ in range(2000)]
    assert not training(RULE).series(loss=losses)
    assert not training(RULE).series(loss=[math.nan, math.inf] * 500)


def test_healthy_trainings_are_left_alone(alarms, healthy_curves):
    assert alarms(RULE, healthy_curves) == []
