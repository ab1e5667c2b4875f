"""Edge cases of straggler."""

RULE = "straggler"


def test_a_rank_that_is_always_slower_is_said_once(training):
    run = training(RULE, ranks=8)
    assert not run.steps(19, rank_slowest=2.0)
    (found,) = run.step(rank_slowest=2.0)
    assert "2.0 times the median" in found.message
    assert not run.steps(50, rank_slowest=2.0)


def test_one_slow_step_is_fine(training):
    run = training(RULE, ranks=8)
    run.steps(19, rank_slowest=2.0)
    run.step(rank_slowest=1.1)
    assert not run.steps(19, rank_slowest=2.0)


def test_one_process_waits_for_nobody_and_nan_says_nothing(training):
    assert not training(RULE, ranks=1).steps(50, rank_slowest=2.0)
    assert not training(RULE, ranks=8).steps(50, rank_slowest=float("nan"))


def test_thresholds_are_settings(training):
    assert training(RULE, ranks=8, ratio=1.05, patience=2).steps(2, rank_slowest=1.1)
