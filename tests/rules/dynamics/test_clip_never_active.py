"""Edge cases of clip-never-active."""

import math

from trainlint.core.diagnosis import Severity

RULE = "clip-never-active"


def step(*, clipped=0.0, rewritten=1.0, norm=0.5):
    return {"clipped": clipped, "rewritten": rewritten, "total_norm": norm}


def test_two_hundred_steps_without_a_cut_are_advice_once(training):
    run = training(RULE)
    run.step(**step(norm=2.0))
    assert not run.steps(198, **step())
    (found,) = run.step(**step())
    assert found.severity is Severity.ADVICE
    assert "the largest norm was 2" in found.message
    assert "lower the threshold to 4" in found.remedy
    assert not run.steps(500, **step())


def test_one_cut_is_enough(training):
    run = training(RULE)
    run.steps(100, **step())
    run.step(**step(clipped=1.0))
    assert not run.steps(500, **step())


def test_who_does_not_clip_is_not_advised(training):
    assert not training(RULE).steps(500, **step(rewritten=0.0))
    assert not training(RULE).steps(500, clipped=0.0, total_norm=1.0)


def test_optimizers_that_take_turns_are_left_alone(training):
    assert not training(RULE, alternates=True).steps(500, **step())


def test_norms_that_are_none_are_borne(training):
    run = training(RULE)
    assert not run.steps(500, **step(norm=math.nan))
    assert run.steps(200, **step())
