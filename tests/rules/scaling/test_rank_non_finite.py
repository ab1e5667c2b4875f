"""Edge cases of rank-non-finite."""

from trainlint.core.diagnosis import Severity

RULE = "rank-non-finite"


def test_the_rank_that_is_not_finite_is_named_at_once_and_once(training):
    run = training(RULE, ranks=8)
    assert not run.step(loss=1.0)
    (found,) = run.step(rank_non_finite=3.0)
    assert found.severity is Severity.ERROR
    assert found.moment.rank == 3
    assert "rank 3" in found.message
    assert "rank 3" in found.remedy
    assert not run.steps(9, rank_non_finite=3.0)


def test_a_healthy_step_between_ends_the_streak(training):
    run = training(RULE, ranks=8)
    run.step(rank_non_finite=3.0)
    run.step(loss=1.0)
    assert run.step(rank_non_finite=5.0)


def test_what_is_no_rank_says_nothing(training):
    assert not training(RULE, ranks=8).step(rank_non_finite=float("nan"))
