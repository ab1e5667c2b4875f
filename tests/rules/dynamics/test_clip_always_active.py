"""Edge cases of clip-always-active."""

import math

from trainlint.core.diagnosis import Severity
from trainlint.runtime.signals import Optimizer, Parameter, Role

RULE = "clip-always-active"


def clipped(before=20.0, after=1.0, **others):
    is_cut = before > after
    return {
        "total_norm_before": before,
        "total_norm": after,
        "clipped": float(is_cut),
        **others,
    }


def test_a_window_in_which_all_is_cut_by_far_is_said_once(training):
    run = training(RULE)
    assert not run.steps(29, **clipped())
    (found,) = run.step(**clipped())
    assert found.severity is Severity.WARNING
    assert "to 1/20 of its norm (bound 1/10)" in found.message
    assert "raise the threshold from 1 to 20" in found.remedy
    assert not run.steps(300, **clipped())


def test_one_step_in_thirty_without_a_cut_is_healthy(training):
    run = training(RULE)
    for _ in range(10):
        assert not run.steps(29, **clipped())
        assert not run.step(**clipped(0.5, 0.5))


def test_a_cut_to_a_fifth_is_what_clipping_is_for(training):
    assert not training(RULE).steps(300, **clipped(5.0))


def test_with_an_adaptive_optimizer_it_is_a_note(training):
    run = training(RULE, optimizers=[Optimizer("Adam", 1e-3, beta2=0.999)])
    (found,) = run.steps(100, **clipped())
    assert found.severity is Severity.ADVICE


def test_optimizers_that_take_turns_are_left_alone(training):
    assert not training(RULE, alternates=True).steps(200, **clipped())


def test_clipping_by_value_that_cuts_most_elements_changes_the_direction(training):
    weight = Parameter("w", "", "Linear", (10, 10), Role.WEIGHT, 0, optimizer=0, learning_rate=0.1)
    bias = Parameter("b", "", "Linear", (10,), Role.BIAS, 0, optimizer=0, learning_rate=0.1)
    run = training(RULE, parameters=[weight, bias])
    assert not run.steps(150, **clipped(2.0, gradient_cut={"w": 0.4, "b": 1.0}))
    run = training(RULE, parameters=[weight, bias])
    (found,) = run.steps(150, **clipped(2.0, gradient_cut={"w": 0.8, "b": 0.0}))
    assert "73%" in found.message
    assert "clip_grad_norm_" in found.remedy


def test_norms_that_are_none_are_borne(training):
    run = training(RULE)
    assert not run.steps(50, **clipped(math.inf, math.nan))
    assert not run.steps(50, **clipped(0.0, 0.0))
    assert not run.steps(29, **clipped())
    assert run.step(**clipped())


def test_the_window_is_a_setting(training):
    assert training(RULE, window=5).steps(5, **clipped())
