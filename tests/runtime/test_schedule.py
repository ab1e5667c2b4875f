"""Which steps are measured: dense at the start, then as the budget allows."""

from __future__ import annotations

import pytest

from trainlint.runtime.schedule import GRACE, Schedule


def measured(schedule, steps, *, cost, step_seconds):
    """Return the measured steps of a training, and the monitor's share of the time."""
    own = total = 0.0
    found = []
    for step in range(1, steps + 1):
        total += step_seconds
        if schedule.is_measured(step):
            own, total = own + cost, total + cost
            found.append(step)
            schedule.measured(step, cost, own, total)
    return found, own / total, own


def test_every_so_manieth_step_and_the_first():
    assert measured(Schedule(every=50), 200, cost=1, step_seconds=1)[0] == [1, 50, 100, 150, 200]


@pytest.mark.parametrize(("cost", "step_seconds"), [(0.003, 0.001), (0.03, 0.1), (0.5, 1.0)])
def test_a_long_training_keeps_to_the_budget(cost, step_seconds):
    steps = int(2000 / step_seconds)
    found, share, _ = measured(Schedule(0.01), steps, cost=cost, step_seconds=step_seconds)
    assert share < 0.0105
    assert share > 0.004
    assert found[:10] == list(range(1, 11))


def test_a_short_training_is_measured_for_the_grace_at_most():
    found, _, own = measured(Schedule(0.01), 2000, cost=0.003, step_seconds=0.001)
    assert own < GRACE + 0.03
    assert len(found) > 50


def test_an_alarm_measures_the_next_step():
    schedule = Schedule(0.01)
    measured(schedule, 5000, cost=0.03, step_seconds=0.1)
    assert not schedule.is_measured(5001)
    schedule.alarm(5000)
    assert schedule.is_measured(5001)


def test_ranks_that_have_agreed_keep_to_it_in_an_alarm():
    schedule = Schedule(0.01, is_agreed=True)
    measured(schedule, 5000, cost=0.03, step_seconds=0.1)
    schedule.alarm(5000)
    assert not schedule.is_measured(5001)


def test_a_grace_is_paid_back_within_a_minute_or_so():
    _, share, _ = measured(Schedule(0.01), 900, cost=0.02, step_seconds=0.1)
    assert share < 0.01


def test_the_loss_of_short_steps_is_looked_at_as_the_budget_allows():
    schedule, spent, total, noted = Schedule(0.01), 0.0, 0.0, 0
    for _ in range(100_000):
        total += 0.001
        if schedule.is_noted(spent, total):
            spent, noted = spent + 1e-4, noted + 1
    assert 0.04 * 100_000 < noted < 0.06 * 100_000
    assert Schedule(every=1000).is_noted(spent, total)


def test_the_loss_of_long_steps_is_always_looked_at():
    assert all(Schedule(0.01).is_noted(1e-4 * step, 0.05 * step) for step in range(10_000))
