"""Edge cases of input-not-used."""

RULE = "input-not-used"
NAN = float("nan")


def test_an_output_that_never_changes_is_said_once_per_streak(training):
    run = training(RULE)
    assert not run.steps(19, output_change=0.0)
    (found,) = run.step(output_change=0.0)
    assert "does not depend on the input" in found.message
    assert not run.steps(50, output_change=0.0)


def test_equal_batches_neither_count_nor_end_the_streak(training):
    run = training(RULE)
    assert not run.steps(50, output_change=NAN)
    assert not run.steps(19, output_change=0.0)
    assert not run.step(output_change=NAN)
    assert run.step(output_change=0.0)


def test_one_output_that_differs_ends_the_streak(training):
    run = training(RULE)
    run.steps(19, output_change=0.0)
    run.step(output_change=0.3)
    assert not run.steps(19, output_change=0.0)


def test_a_slow_output_is_fine(training):
    assert not training(RULE).steps(50, output_change=1e-4)
    assert not training(RULE).steps(50, output_change=float("inf"))


def test_thresholds_are_settings(training):
    assert training(RULE, patience=2, change=1e-3).steps(2, output_change=1e-4)
