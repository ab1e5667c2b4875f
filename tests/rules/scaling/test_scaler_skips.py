"""Edge cases of scaler-skips."""

RULE = "scaler-skips"


def steps(run, count, *, skips=0, skipped=0):
    """Show steps before which every so manieth was skipped."""
    found = []
    for _ in range(count):
        if skips and run.number % skips == 0:
            skipped += 1
        found += run.step(skipped=float(skipped))
    return found, skipped


def test_skipping_that_does_not_end_is_said_once(training):
    run = training(RULE)
    _, skipped = steps(run, 200)
    (found,), _ = steps(run, 400, skips=10, skipped=skipped)
    assert "of the last steps (bound 5%)" in found.message
    assert "bfloat16" in found.remedy


def test_the_search_for_a_scale_at_the_start_is_fine(training):
    run = training(RULE)
    _, skipped = steps(run, 20, skips=1)
    assert not steps(run, 600, skipped=skipped)[0]


def test_a_skip_now_and_then_is_fine(training):
    assert not steps(training(RULE), 1000, skips=50)[0]


def test_a_scale_under_1_is_said_at_once_and_once(training):
    run = training(RULE)
    (found,) = run.step(skipped=20.0, loss_scale=0.5)
    assert "sunk to 0.5" in found.message
    assert not run.steps(5, skipped=20.0, loss_scale=0.25)


def test_nan_says_nothing(training):
    assert not training(RULE).steps(500, skipped=float("nan"), loss_scale=float("nan"))


def test_thresholds_are_settings(training):
    assert steps(training(RULE, share=0.01), 1000, skips=50)[0]
    assert steps(training(RULE, start=0, window=10), 30, skips=5)[0]
