"""A rule that is known from an earlier run says of itself what the imported one says."""

from __future__ import annotations

import json

import pytest

from trainlint.core.kept_rule import KeptRule, record

SAID = (
    "package",
    "family",
    "name",
    "code",
    "severity",
    "fixable",
    "judges_configs",
    "explained_by",
    "summary",
    "has_check",
    "has_detector",
    "needs",
    "thresholds",
    "asks_for_target",
)


@pytest.fixture(scope="module")
def kept(catalogue):
    """Return all rules, each with what is kept of it."""
    return [(rule, KeptRule(json.loads(json.dumps(record(rule))))) for rule in catalogue]


def test_all_that_is_said_of_rules_is_kept(kept):
    for rule, other in kept:
        for name in SAID:
            assert getattr(other, name) == getattr(rule, name), (rule, name)
            assert type(getattr(other, name)) is type(getattr(rule, name)), (rule, name)


def test_a_detector_is_made_with_the_thresholds_that_are_given(kept):
    made = 0
    for rule, other in kept:
        if rule.has_detector:
            assert other.new_detector(rule.thresholds) == rule.new_detector(rule.thresholds)
            made += 1
    assert made


def test_a_rule_without_a_check_has_no_diagnosis_and_is_not_imported():
    said = '{"module": "nowhere.loss.nothing", "code": "XX301", "severity": "error", "needs": [],'
    said += '"fixable": null, "judges_configs": false, "explained_by": [], "summary": "",'
    rule = KeptRule(json.loads(said + '"check": null, "detector": {}}'))
    rule.load()
    assert list(rule.diagnose(None, {})) == []
    assert rule.has_detector
