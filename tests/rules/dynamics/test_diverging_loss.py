"""Edge cases of diverging-loss."""

import math

from trainlint.core.diagnosis import Severity

RULE = "diverging-loss"
KNOWN = {"broadcast": 0.0}
GROWING = [1.05**step for step in range(200)]


def test_a_loss_that_rises_over_its_start_is_said_once(training):
    run = training(RULE)
    found = [one for loss in GROWING for one in run.step(loss=loss, learning_rate=0.3, **KNOWN)]
    assert len(found) == 1
    assert found[0].severity is Severity.ERROR
    assert found[0].moment.step <= 50
    assert "1.5 times its start" in found[0].message
    assert "a learning rate of 0.1 instead of 0.3" in found[0].remedy


def test_without_a_known_criterion_it_must_rise_further(training):
    found = training(RULE).series(loss=GROWING)
    assert [one.moment.step for one in found] > [60]
    assert not training(RULE).series(loss=[min(one, 8.0) for one in GROWING])


def test_a_loss_that_comes_back_over_its_lowest_is_said(training):
    fall = [2.0 * 0.95**step + 0.05 for step in range(150)]
    rise = [0.05 * 1.04**step for step in range(150)]
    found = training(RULE).series(loss=[*fall, *rise[:85]])
    assert [one.rule for one in found] == [RULE]
    assert "3 times its lowest level" in found[0].message


def test_a_rate_that_rises_again_may_raise_the_loss(training):
    losses = [2.0 * 0.95**step + 0.05 for step in range(150)] + [
        0.05 * 1.04**step for step in range(85)
    ]
    rates = [0.01] * 150 + [0.1] * 85
    assert not training(RULE).series(loss=losses, learning_rate=rates)


def test_a_bump_that_passes_is_none(training):
    bump = [1.0] * 20 + [1.0 + 2.0 * math.exp(-((step - 15) ** 2) / 50) for step in range(60)]
    run = training(RULE)
    assert not [one for loss in bump for one in run.step(loss=loss, **KNOWN)]


def test_a_high_level_that_stays_is_said_though_it_does_not_rise(training):
    run = training(RULE)
    run.steps(20, loss=1.0, **KNOWN)
    wave = [3.0 + 0.2 * (-1) ** (step // 10) for step in range(150)]
    assert [one for loss in wave for one in run.step(loss=loss, **KNOWN)]


def test_alternating_optimizers_need_not_fall(training):
    assert not training(RULE, alternates=True).series(loss=GROWING)


def test_values_that_are_not_finite_and_negative_losses_break_nothing(training):
    assert not training(RULE).series(loss=[math.nan, math.inf, -1.0, 0.0] * 50)
    assert not training(RULE).series(loss=[-step / 10 for step in range(300)])


def test_healthy_trainings_are_left_alone(alarms, healthy_curves):
    assert alarms(RULE, healthy_curves) == []


def test_the_loss_of_a_policy_may_grow_with_its_rewards(training):
    # Reward by reward, REINFORCE on CartPole: the loss grows with the length of the episodes.
    assert training(RULE).series(loss=GROWING)
    assert not training(RULE, plays=True).series(loss=GROWING)


def test_a_classification_that_is_worse_than_the_guess_it_began_with_is_said(training):
    run = training(RULE)
    wild = [2.4, *(30.0 + 10 * (-1) ** step for step in range(9)), *[50.0, 40, 30, 20, 12] * 30]
    known = {"class_loss": 2.4, "classes": 10.0}
    found = [one for loss in wild for one in run.step(loss=loss, **known)]
    assert [one.rule for one in found] == [RULE]
    assert "1.5 times what a guess gives" in found[0].message
    hot = training(RULE)
    known = {"class_loss": 80.0, "classes": 10.0}
    assert not [one for at in range(160) for one in hot.step(loss=80.0 - at / 4, **known)]
