"""Edge cases of rank-divergence."""

from trainlint.core.diagnosis import Severity

RULE = "rank-divergence"


def test_replicas_that_differ_are_said_at_once_and_once(training):
    run = training(RULE, ranks=4)
    (found,) = run.step(rank_difference=0.02)
    assert found.severity is Severity.ERROR
    assert "4 ranks differ by 0.02" in found.message
    assert not run.steps(9, rank_difference=0.03)


def test_equal_replicas_and_the_last_bit_are_fine(training):
    assert not training(RULE, ranks=4).steps(9, rank_difference=0.0)
    assert not training(RULE, ranks=4).steps(9, rank_difference=1e-7)


def test_one_process_has_nothing_to_differ_from(training):
    assert not training(RULE, ranks=1).step(rank_difference=0.5)


def test_nan_says_nothing(training):
    assert not training(RULE, ranks=4).step(rank_difference=float("nan"))


def test_thresholds_are_settings(training):
    assert not training(RULE, ranks=4, difference=0.1).step(rank_difference=0.02)
