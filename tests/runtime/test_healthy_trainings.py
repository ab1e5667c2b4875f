"""Healthy trainings of many kinds end without an error or a warning of any rule."""

from __future__ import annotations

import pytest

from trainlint.core.diagnosis import Severity

pytest.importorskip("sklearn")

import bench.trainings.healthy  # noqa: F401 - registers them
from bench.trainings.registry import HEALTHY, TIMED


def test_there_are_enough_of_them():
    assert len(HEALTHY) >= 14


@pytest.mark.slow
# `SequentialLR` of torch 2.6 itself calls what it deprecates.
@pytest.mark.filterwarnings("ignore:The epoch parameter in `scheduler.step")
@pytest.mark.parametrize("training", HEALTHY.values(), ids=HEALTHY)
def test_a_healthy_training_raises_no_alarm(training, monkeypatch):
    monkeypatch.setenv("TRAINLINT_TRACEBACK", "1")
    monitor = training.run(every=1)
    assert monitor.step > 10
    said = [
        one
        for one in monitor.diagnoses
        if one.severity is not Severity.ADVICE and one.rule not in TIMED
    ]
    assert [f"step {one.moment.step}: {one.rule}: {one.message}" for one in said] == []
