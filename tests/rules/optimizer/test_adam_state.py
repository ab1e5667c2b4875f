"""Edge cases of adam-state."""

import math

from trainlint.runtime.signals import Optimizer, Origin, Parameter, Role

RULE = "adam-state"
ADAM = (Optimizer("Adam", 1e-3, momentum=0.9, beta2=0.999, eps=1e-8),)


def weight(role=Role.WEIGHT, **settings):
    known = {"optimizer": 0, "learning_rate": 1e-3, "origin": Origin("model.py", 14), **settings}
    return Parameter("fc.weight", "fc", "Linear", (8, 8), role, **known)


def adam(training, **settings):
    return training(RULE, parameters=[weight(**settings)], optimizers=ADAM)


def state(root=1e-3, update=0.5, **signals):
    return {
        "second_moment": {"fc.weight": root},
        "adam_update": {"fc.weight": update},
        "loss": 1.0,
        **signals,
    }


def test_an_eps_over_the_second_moment_is_said_once_per_streak(training):
    run = adam(training)
    assert not run.steps(9, **state(2e-9))
    (found,) = run.step(**state(2e-9))
    assert (found.path, found.span.line) == ("model.py", 14)
    assert "2e-09, under its eps of 1e-08" in found.message
    assert "an eps of 1e-10" in found.remedy
    assert not run.steps(30, **state(2e-9))


def test_a_second_moment_over_eps_is_healthy(training):
    assert not adam(training).steps(40, **state(2e-8))


def test_tiny_gradients_of_a_loss_that_has_fallen_are_healthy(training):
    run = adam(training)
    run.steps(5, **state(1e-2))
    assert not run.steps(40, **state(1e-10, loss=0.01))


def test_a_large_eps_is_meant_where_an_environment_is_played(training):
    large = (Optimizer("Adam", 1e-3, momentum=0.9, beta2=0.999, eps=1e-4),)
    run = training(RULE, parameters=[weight()], optimizers=large, plays=True)
    assert not run.steps(40, **state(2e-5))
    assert training(RULE, parameters=[weight()], optimizers=large).steps(40, **state(2e-5))


def test_gradients_behind_a_last_layer_that_starts_near_0_rise_by_themselves(training):
    run = adam(training)
    for step in range(40):
        assert not run.step(**state(2e-10 * (1 + step)))


def test_updates_far_over_the_rate_ask_for_a_lower_beta2(training):
    (found,) = adam(training).steps(30, **state(update=4.0))
    assert "4 times the learning rate (bound 3)" in found.message
    assert "lower beta2 from 0.999 to 0.95" in found.remedy


def test_long_updates_are_not_judged_in_warm_up(training):
    run = adam(training)
    for step in range(40):
        assert not run.step(**state(update=4.0, learning_rate=1e-5 * (step + 1)))


def test_gradients_of_zero_embeddings_and_frozen_weights_are_left_alone(training):
    assert not adam(training).steps(40, **state(0.0))
    assert not adam(training, role=Role.EMBEDDING).steps(40, **state(1e-10, 4.0))
    assert not adam(training, learning_rate=0.0).steps(40, **state(1e-10, 4.0))


def test_values_that_are_not_finite_break_nothing(training):
    assert not adam(training).steps(40, **state(math.nan, math.inf, loss=math.nan))
    assert not adam(training).steps(40, loss=1.0)


def test_gradients_that_clipping_has_made_small_ask_for_less_clipping(training):
    cut = {"clipped": 1.0, "total_norm_before": 1.0, "total_norm": 1e-5}
    (found,) = adam(training).steps(40, **state(2e-9), **cut)
    assert found.remedy.startswith("clip less: gradients with a norm of 1 are cut to 1e-05")
