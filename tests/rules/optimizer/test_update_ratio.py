"""Edge cases of update-ratio."""

import math

from trainlint.runtime.signals import Origin, Parameter, Role

RULE = "update-ratio"


def weight(name, role=Role.WEIGHT, **settings):
    known = {"optimizer": 0, "learning_rate": 0.1, "origin": Origin("model.py", 14), **settings}
    return Parameter(f"{name}.weight", name, "Linear", (8, 8), role, **known)


WEIGHTS = [weight("fc1"), weight("fc2"), weight("fc3")]


def ratios(*values):
    return {f"fc{number}.weight": value for number, value in enumerate(values, start=1)}


def test_updates_that_are_too_large_are_said_once_with_the_rate_to_try(training):
    run = training(RULE, parameters=WEIGHTS)
    assert not run.steps(19, update_ratio=ratios(0.2, 0.5, 0.3), loss=1.0, learning_rate=0.3)
    (found,) = run.step(update_ratio=ratios(0.2, 0.5, 0.3), loss=1.0, learning_rate=0.3)
    assert "0.3 of their size, over 0.1" in found.message
    assert "a learning rate of 0.001 instead of 0.3" in found.remedy
    assert not run.steps(40, update_ratio=ratios(0.2, 0.5, 0.3), loss=1.0, learning_rate=0.3)


def test_updates_that_are_too_small_are_said(training):
    run = training(RULE, parameters=WEIGHTS)
    (found,) = run.steps(30, update_ratio=ratios(1e-7, 1e-8, 1e-7), loss=1.0, learning_rate=1e-6)
    assert "1e-07 of their size, under 1e-06" in found.message
    assert "a learning rate of 0.01 instead of 1e-06" in found.remedy


def test_one_weight_that_is_unlike_the_others_is_named(training):
    run = training(RULE, parameters=WEIGHTS)
    (found,) = run.steps(30, update_ratio=ratios(0.001, 0.5, 0.001), loss=1.0)
    assert found.moment.layer == "fc2.weight"
    assert (found.path, found.span.line) == ("model.py", 14)
    assert "a learning rate of 0.0002" in found.remedy


def test_while_the_loss_falls_the_updates_work(training):
    run = training(RULE, parameters=WEIGHTS)
    for step in range(60):
        assert not run.step(update_ratio=ratios(0.3, 0.3, 0.3), loss=0.95**step)


def test_a_loss_that_has_fallen_to_a_tenth_leaves_little_to_move(training):
    run = training(RULE, parameters=WEIGHTS)
    run.steps(5, update_ratio=ratios(0.01, 0.01, 0.01), loss=1.0)
    assert not run.steps(60, update_ratio=ratios(1e-8, 1e-8, 1e-8), loss=0.01)


def test_warm_up_and_the_end_of_a_schedule_are_not_judged(training):
    run = training(RULE, parameters=WEIGHTS)
    for step in range(60):
        rate = 1e-6 * (step + 1)
        assert not run.step(update_ratio=ratios(1e-8, 1e-8, 1e-8), loss=1.0, learning_rate=rate)
    run.step(update_ratio=ratios(1e-3, 1e-3, 1e-3), loss=1.0, learning_rate=0.1)
    assert not run.steps(60, update_ratio=ratios(1e-8, 1e-8, 1e-8), loss=1.0, learning_rate=1e-5)


def test_biases_norms_embeddings_and_frozen_weights_are_left_alone(training):
    others = [
        weight("fc1", Role.NORM),
        weight("fc2", Role.EMBEDDING),
        weight("fc3", learning_rate=0.0),
    ]
    run = training(RULE, parameters=others)
    assert not run.steps(60, update_ratio=ratios(0.5, 0.5, 0.5), loss=1.0)


def test_values_that_are_not_finite_break_nothing(training):
    run = training(RULE, parameters=WEIGHTS)
    assert not run.steps(60, update_ratio=ratios(math.nan, math.inf, 0.0), loss=math.nan)
