"""A rule that is known by the text of its module says of itself what the imported one says."""

from __future__ import annotations

from importlib import import_module

import pytest

from trainlint.core.diagnosis import Severity
from trainlint.core.fix import Safety
from trainlint.core.rule import Rule
from trainlint.core.written_rule import WrittenRule, written_rule

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
MODULE = "nowhere.loss.nothing"
TEXT = '''"""A rule for a test."""

rule = Rule(
    __name__,
    "XX301",
    Severity.ERROR,
    fixable=Safety.UNSAFE,
    explained_by=("dead-relu",),
)


@rule.{half}
'''


def imported(rule):
    """Return the rule as its module makes it."""
    return import_module(f"{rule.package}.{rule.family}.{rule.name.replace('-', '_')}").rule


def test_our_rules_are_known_by_their_text(catalogue):
    assert len(catalogue) > 190
    assert {type(rule) for rule in catalogue} == {WrittenRule}


def test_all_that_is_said_of_a_rule_is_what_its_module_says(catalogue):
    for rule in catalogue:
        other = imported(rule)
        assert type(other) is Rule
        for name in SAID:
            assert getattr(rule, name) == getattr(other, name), (rule, name)
            assert type(getattr(rule, name)) is type(getattr(other, name)), (rule, name)


def test_a_detector_is_made_with_the_thresholds_that_are_given(catalogue):
    made = [rule for rule in catalogue if rule.has_detector]
    for rule in made:
        assert rule.new_detector(rule.thresholds) == imported(rule).new_detector(rule.thresholds)
    assert made


def test_a_rule_that_is_known_is_not_imported_until_it_runs():
    rule = written_rule(MODULE, TEXT.format(half="detector"))
    assert rule is not None
    assert (rule.code, rule.severity, rule.fixable) == ("XX301", Severity.ERROR, Safety.UNSAFE)
    assert (rule.name, rule.family, rule.summary) == ("nothing", "loss", "A rule for a test.")
    assert rule.explained_by == ("dead-relu",)
    rule.load()
    assert list(rule.diagnose(None, {})) == []
    with pytest.raises(ModuleNotFoundError):
        rule.new_detector({})


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"""A rule for a test."""', ""),
        ("rule = ", "  rule = "),
        ("@rule.check", "rule.check(found)"),
        ("Severity.ERROR", "SEVERITY"),
        ("Severity.ERROR", "Severity.MISTAKE"),
        ("Severity.ERROR", "__import__('os').abort()"),
        ("Severity.ERROR,", "Severity.ERROR, thresholds=3"),
        ("Severity.ERROR,", "Severity.ERROR]"),
        ("Rule(", "str("),
    ],
)
def test_what_is_written_in_another_way_must_be_imported(old, new):
    text = TEXT.format(half="check")
    assert written_rule(MODULE, text) is not None
    assert written_rule(MODULE, text.replace(old, new)) is None
