"""Edge cases of loss-spike."""

import math
import random

from trainlint.runtime.signals import Optimizer

RULE = "loss-spike"
SPIKE = [8.0, 7.0, 5.0, 3.0, 2.0, 1.0]


def calm(count, seed=0):
    chance = random.Random(seed)  # noqa: S311 - no secret
    return [1 + 0.05 * chance.gauss(0, 1) for _ in range(count)]


def test_a_spike_is_said_when_it_is_over(training):
    run = training(RULE)
    assert not run.series(loss=[*calm(100), *SPIKE[:-1]])
    (found,) = run.step(loss=1.0)
    assert "to 8 at step 101" in found.message
    assert "stayed high for 5 steps" in found.message
    assert "the batch of step 100" in found.remedy


def test_spikes_are_counted(training):
    found = training(RULE).series(loss=[*calm(100), *SPIKE, *calm(100), *SPIKE, *calm(5)])
    assert len(found) == 2
    assert "spike number 2" in found[1].message


def test_one_bad_batch_alone_is_no_spike(training):
    assert not training(RULE).series(loss=[*calm(100), 50.0, *calm(10), 50.0, 50.0, *calm(10)])


def test_batches_that_often_stand_out_ask_for_a_longer_spike(training):
    losses = calm(100)
    for _ in range(5):
        losses += [9.0, *calm(20)]
    assert not training(RULE).series(loss=[*losses, 9.0, 9.0, 9.0, *calm(10)])


def test_the_first_fifty_steps_have_no_level(training):
    assert not training(RULE).series(loss=[*calm(45), *SPIKE, *calm(10)])


def test_a_rise_that_stays_is_no_spike(training):
    assert not training(RULE).series(loss=[*calm(100), *[5 * one for one in calm(400)], *calm(50)])


def test_a_restart_of_the_rate_is_no_spike(training):
    losses = [*calm(100), *SPIKE, *calm(20)]
    rates = [0.01] * 100 + [0.1] * (len(losses) - 100)
    assert not training(RULE).series(loss=losses, learning_rate=rates)


def test_spikes_far_below_the_start_are_small(training):
    start = [100.0] * 10
    assert not training(RULE).series(loss=[*start, *calm(150), *SPIKE, *calm(10)])


def test_a_slow_second_moment_is_named(training):
    run = training(RULE, optimizers=(Optimizer("AdamW", 1e-3, beta2=0.999),))
    (found,) = run.series(loss=[*calm(100), *SPIKE, *calm(5)])
    assert "lower beta2 from 0.999 to 0.95" in found.remedy


def test_alternating_optimizers_and_odd_values_are_left_alone(training):
    assert not training(RULE, alternates=True).series(loss=[*calm(100), *SPIKE, 1.0])
    assert not training(RULE).series(loss=[math.nan, math.inf, -1.0, 0.0] * 100)


def test_healthy_trainings_are_left_alone(alarms, healthy_curves):
    assert alarms(RULE, healthy_curves) == []
