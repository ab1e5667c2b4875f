"""Edge cases of gradient-starved-by-noise."""

import math

RULE = "gradient-starved-by-noise"


def noisy(times=200.0, *, batch=8.0, loss=1.0, **others):
    return {"noise_scale": times, "batch_size": batch, "loss": loss, **others}


def test_noise_over_fifty_batches_is_said_once_after_twenty_steps(training):
    run = training(RULE)
    run.steps(100, **noisy(1.0))
    assert not run.steps(19, **noisy())
    (found,) = run.step(**noisy())
    assert "200 times the batch of 8 (bound 50)" in found.message
    assert found.moment.layer == ""
    assert not run.steps(50, **noisy())


def test_the_first_hundred_steps_may_be_a_warm_up(training):
    run = training(RULE)
    assert not run.steps(119, **noisy())
    assert run.step(**noisy())


def test_one_step_with_a_signal_ends_the_streak(training):
    run = training(RULE)
    run.steps(100, **noisy(1.0))
    run.steps(19, **noisy())
    run.step(**noisy(10.0))
    assert not run.steps(19, **noisy())


def test_a_loss_that_has_fallen_was_no_victim_of_noise(training):
    run = training(RULE)
    run.steps(50, **noisy(loss=1.0))
    assert not run.steps(200, **noisy(loss=0.5))


def test_objectives_that_need_not_fall_are_left_alone(training):
    assert not training(RULE, alternates=True).steps(200, **noisy())
    run = training(RULE)
    run.step(**noisy(loss=-0.1))
    assert not run.steps(200, **noisy())


def test_accumulated_batches_count_together(training):
    run = training(RULE)
    (found,) = run.steps(150, **noisy(micro_batches=4.0))
    assert "batch of 32" in found.message
    assert "a batch of 256" in found.remedy


def test_an_estimate_without_bound_is_not_told_to_the_digit(training):
    (found,) = training(RULE).steps(150, **noisy(1e33))
    assert "over 1e+04 times" in found.message


def test_without_a_batch_or_with_no_number_nothing_is_said(training):
    assert not training(RULE).steps(200, noise_scale=200.0, loss=1.0)
    assert not training(RULE).steps(200, **noisy(math.nan, loss=math.nan))
