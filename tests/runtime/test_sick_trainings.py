"""In each sick training the rule that names its defect speaks first, and soon."""

from __future__ import annotations

import pytest

from trainlint.core.diagnosis import Severity

pytest.importorskip("sklearn")

import bench.trainings.sick  # noqa: F401 - registers them
from bench.trainings.registry import SICK, TIMED


def test_there_are_enough_of_them():
    assert len(SICK) >= 25
    assert len({one.diagnosis for one in SICK.values()}) >= 25


def test_each_names_rules_that_exist(catalogue):
    for one in SICK.values():
        for rule in filter(None, (one.diagnosis, one.other)):
            found = catalogue.find(rule)
            assert found is not None, rule
            assert found.has_detector


@pytest.mark.slow
@pytest.mark.parametrize("training", SICK.values(), ids=SICK)
def test_a_sick_training_ends_in_the_right_diagnosis_first(training, monkeypatch):
    monkeypatch.setenv("TRAINLINT_TRACEBACK", "1")
    right = (training.diagnosis, training.other)
    found = training.said(every=1)
    said = [
        one
        for one in found
        if one.rule in right or (one.severity is not Severity.ADVICE and one.rule not in TIMED)
    ]
    assert said
    first = said[0]
    assert first.rule in right, f"{first.rule}: {first.message}"
    assert first.moment.step <= training.within
    assert first.remedy
