"""What the judge says, in which order, and what it folds."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from types import ModuleType
from typing import ClassVar

import pytest

from trainlint.core.config import Settings
from trainlint.core.diagnosis import Severity
from trainlint.core.rule import Rule
from trainlint.runtime.judge import Judge
from trainlint.runtime.signals import Facts, Step


@pytest.fixture
def make_rule(monkeypatch):
    """Return a function that makes a rule which speaks at the steps that it is given."""

    def make(name, *steps, severity=Severity.WARNING, explained_by=(), needs=()):
        module = f"tests.rules.dynamics.{name}"
        monkeypatch.setitem(sys.modules, module, ModuleType(module))
        rule = Rule(module, f"TX9{len(name):02}", severity, explained_by=explained_by)

        @dataclass
        class Detector:
            needs: ClassVar[tuple[str, ...]] = ()

            def observe(self, step):
                if step.number in steps:
                    yield rule.seen(step.number, step.facts.run, name, remedy="none")

        Detector.needs = needs
        rule.detector(Detector)
        return rule

    return make


def said(judge, steps, **signals):
    """Return step and rule of all that is said of some steps."""
    found = []
    for number in range(1, steps + 1):
        values = {name: {"": value} for name, value in signals.items()}
        found += [(number, one.rule) for one in judge.observe(Step(number, Facts(), values))]
    return found


def test_a_cause_comes_before_what_it_explains_which_is_folded(make_rule):
    effect = make_rule("effect", 3, severity=Severity.ERROR, explained_by=("cause",))
    cause = make_rule("cause", 3)
    judge = Judge(Settings((effect, cause)))
    assert said(judge, 5) == [(3, "cause")]
    assert [one.rule for one in judge.folded] == ["effect"]


def test_what_came_first_is_said_though_its_cause_follows(make_rule):
    effect, cause = make_rule("effect", 2, explained_by=("cause",)), make_rule("cause", 3)
    assert said(Judge(Settings((effect, cause))), 5) == [(2, "effect"), (3, "cause")]


def test_the_worse_comes_first(make_rule):
    mild, bad = make_rule("mild", 1), make_rule("worse", 1, severity=Severity.ERROR)
    assert said(Judge(Settings((mild, bad))), 2) == [(1, "worse"), (1, "mild")]


def test_a_repeat_is_folded_until_the_training_is_twice_as_long(make_rule):
    rule = make_rule("flaps", *range(10, 60, 5))
    assert said(Judge(Settings((rule,))), 60) == [(10, "flaps"), (20, "flaps"), (40, "flaps")]


def test_a_detector_sees_only_steps_with_all_that_it_needs(make_rule):
    rule = make_rule("needy", 1, 2, 3, needs=("loss",))
    assert said(Judge(Settings((rule,))), 3) == []
    assert said(Judge(Settings((rule,))), 1, loss=1.0) == [(1, "needy")]


def test_a_detector_that_raises_is_told_of_and_asked_no_more(make_rule):
    rule = make_rule("fails", 1)
    calls = []

    def observe(self, step):
        del self
        calls.append(step.number)
        raise ZeroDivisionError

    rule._detector.observe = observe
    told = []
    judge = Judge(Settings((rule,)), lambda one, error: told.append((one.name, type(error))))
    assert said(judge, 3) == []
    assert calls == [1]
    assert told == [("fails", ZeroDivisionError)]


def test_what_follows_a_value_that_is_not_finite_is_folded(make_rule):
    first = make_rule("non_finite_gradient", 3, severity=Severity.ERROR)
    rules = (
        make_rule("stops", 3, 9, severity=Severity.ERROR),
        make_rule("non_finite_loss", 4, severity=Severity.ERROR),
        make_rule("rank_non_finite", 4, severity=Severity.ERROR),
        first,
    )
    judge = Judge(Settings(rules))
    assert said(judge, 10) == [(3, "non-finite-gradient"), (4, "rank-non-finite")]
    assert [one.rule for one in judge.folded] == ["stops", "non-finite-loss", "stops"]


def test_a_training_that_has_recovered_is_judged_again(make_rule):
    rules = (make_rule("non_finite_loss", 1), make_rule("later", 40, 80))
    assert said(Judge(Settings(rules)), 90, loss=1.0) == [(1, "non-finite-loss"), (80, "later")]
    assert said(Judge(Settings(rules)), 90, loss=float("nan")) == [(1, "non-finite-loss")]
