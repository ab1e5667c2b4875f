"""Edge cases of data-starved."""

RULE = "data-starved"


def test_steps_that_mostly_wait_are_said_once(training):
    run = training(RULE)
    waiting = {"step_seconds": 0.1, "wait_seconds": 0.04}
    assert not run.steps(49, **waiting)
    (found,) = run.step(**waiting)
    assert "40% of the time of the last 50 steps" in found.message
    assert "num_workers" in found.remedy
    assert not run.steps(99, **waiting)


def test_who_has_workers_is_told_how_many(training):
    run = training(RULE, workers=2)
    (found,) = run.steps(50, step_seconds=0.1, wait_seconds=0.04)
    assert found.remedy.startswith("the `DataLoader` has 2 workers: raise the number")


def test_workers_that_deliver_in_bursts_count_as_they_add_up(training):
    run = training(RULE)
    found = []
    for at in range(60):
        found += run.step(step_seconds=0.1 + 0.3 * (at % 4 == 0), wait_seconds=0.3 * (at % 4 == 0))
    assert len(found) == 1


def test_the_start_of_an_epoch_does_not_count(training):
    run = training(RULE)
    assert not run.steps(30, step_seconds=0.1, wait_seconds=0.001)
    assert not run.step(step_seconds=20.0, wait_seconds=19.9)
    assert not run.steps(60, step_seconds=0.1, wait_seconds=0.001)


def test_a_share_of_nearly_nothing_does_not_matter(training):
    assert not training(RULE).steps(99, step_seconds=0.002, wait_seconds=0.001)


def test_without_a_loader_nothing_is_said(training):
    run = training(RULE)
    assert not run.steps(99, step_seconds=1.0)
    assert not run.steps(99, step_seconds=1.0, wait_seconds=0.0)
    assert not run.steps(99, step_seconds=float("nan"), wait_seconds=0.5)
    assert not run.steps(99, step_seconds=0.0, wait_seconds=0.0)


def test_thresholds_are_settings(training):
    assert not training(RULE, share=0.5).steps(99, step_seconds=0.1, wait_seconds=0.04)
    assert training(RULE, patience=5).steps(5, step_seconds=0.1, wait_seconds=0.04)
