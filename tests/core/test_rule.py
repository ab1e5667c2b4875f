"""A rule takes its name and family from its module, and its diagnoses carry them."""

from __future__ import annotations

import sys
from dataclasses import FrozenInstanceError
from types import ModuleType, SimpleNamespace

import pytest

from trainlint.core.diagnosis import Diagnosis, Related, Severity, Span
from trainlint.core.fix import Safety
from trainlint.core.rule import Family, Rule

MODULE = "somewhere.rules.loss.cursed_loss"


@pytest.fixture
def rule(monkeypatch):
    """Return a rule of a module that is not there."""
    module = ModuleType(MODULE, "A loss is cursed.\n\nMore about it.")
    monkeypatch.setitem(sys.modules, MODULE, module)
    return Rule(MODULE, "ACME301", Severity.WARNING, fixable=Safety.UNSAFE)


def place(line):
    """Return a place in a file."""
    return SimpleNamespace(path="f.py", span=Span(line, 1, line, 5))


def test_family_name_and_summary_come_from_the_module(rule):
    assert (rule.package, rule.family, rule.name) == ("somewhere.rules", "loss", "cursed-loss")
    assert rule.summary == "A loss is cursed."
    assert repr(rule) == "<Rule ACME301 cursed-loss>"


def test_the_digits_of_the_families_are_those_of_the_codes():
    digits = {family.value: family.digit for family in Family}
    assert digits == {
        "lint": "0",
        "init": "1",
        "activation": "2",
        "loss": "3",
        "optimizer": "4",
        "loop": "5",
        "layers": "6",
        "data": "7",
        "scaling": "8",
        "dynamics": "9",
    }


@pytest.mark.usefixtures("rule")
@pytest.mark.parametrize("code", ["", "301", "ACME", "acme301", "AC-ME301", "A1B2", "É301"])
def test_a_code_that_comments_and_selectors_would_not_know_is_refused(code):
    with pytest.raises(ValueError, match="capital letters and then digits"):
        Rule(MODULE, code, Severity.ERROR)


def test_an_unknown_family_is_refused(rule, monkeypatch):
    monkeypatch.setitem(sys.modules, "a.nofamily.b", ModuleType("a.nofamily.b"))
    with pytest.raises(ValueError, match="nofamily"):
        Rule("a.nofamily.b", rule.code, rule.severity)


def test_the_keyword_only_parameters_of_the_check_are_its_thresholds(rule):
    assert rule.thresholds == {}
    assert not rule.has_check
    assert list(rule.diagnose(None, {})) == []

    @rule.check
    def check(file, *, limit=3, bound=0.5):
        return [f"{file} {limit} {bound}"]

    assert rule.has_check
    assert rule.thresholds == {"limit": 3, "bound": 0.5}
    assert rule.diagnose("f", {"limit": 4}) == ["f 4 0.5"]
    assert check("g") == ["g 3 0.5"]


def test_a_diagnosis_carries_the_rule_and_the_places(rule):
    one = rule.at(
        place(3), "`loss` is cursed", remedy="Take another.", related=[(place(1), "made here")]
    )
    assert one == Diagnosis(
        rule="cursed-loss",
        code="ACME301",
        severity=Severity.WARNING,
        path="f.py",
        span=Span(3, 1, 3, 5),
        message="`loss` is cursed",
        remedy="Take another.",
        related=(Related(Span(1, 1, 1, 5), "made here"),),
    )
    assert one.position == ("f.py", 3, 1, "ACME301")
    assert rule.at(place(3), "", remedy="", severity=Severity.ADVICE).severity == "advice"


def test_a_diagnosis_is_a_value(rule):
    one, same = (rule.at(place(3), "said", remedy="None.") for _ in range(2))
    assert one == same
    assert len({one, same}) == 1
    with pytest.raises(FrozenInstanceError):
        one.message = "other"
