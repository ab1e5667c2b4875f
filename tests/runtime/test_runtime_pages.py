"""The trainings on the pages of run-time rules are run: *Bad* ends in its diagnosis, *Good* in none."""

from __future__ import annotations

import linecache
import re
from typing import TYPE_CHECKING

import pytest

from trainlint.core.catalogue import load_catalogue
from trainlint.core.diagnosis import Severity
from trainlint.core.page import read_page

if TYPE_CHECKING:
    from trainlint.core.diagnosis import Diagnosis
    from trainlint.core.rule import Rule

MARK = re.compile(r"  # (TL\d{3})$")
RULES = [
    pytest.param(rule, id=rule.name)
    for rule in load_catalogue(("trainlint.rules",))
    if rule.has_detector and not rule.name.startswith(("rank-", "straggler"))
]
"""All but those that take several processes to see: `test_ranks` runs them."""


def trainings_of(rule: Rule, section: str) -> list[str]:
    """Return the blocks of a section in which a training is watched."""
    page = read_page(rule)
    assert page is not None
    return [code for code in page.examples(section) if "trainlint.watch(" in code]


def diagnoses_of(code: str, path: str) -> list[Diagnosis]:
    """Run a training and return what its monitors have said."""
    linecache.cache[path] = (len(code), None, code.splitlines(keepends=True), path)
    names: dict[str, object] = {"__name__": "__main__", "__file__": path}
    exec(compile(code, path, "exec"), names)  # noqa: S102 - the page is ours
    monitor = names["monitor"]
    return list(monitor.diagnoses)  # type: ignore[attr-defined]


@pytest.mark.slow
@pytest.mark.parametrize("rule", RULES)
def test_a_bad_training_ends_in_the_marked_diagnosis_and_it_comes_first(rule, tmp_path):
    trainings = trainings_of(rule, "Bad")
    assert trainings
    for number, code in enumerate(trainings):
        path = str(tmp_path / f"bad_{number}.py")
        marks = [MARK.search(line) for line in code.splitlines()]
        marked = [(path, line) for line, mark in enumerate(marks, start=1) if mark]
        found = diagnoses_of(code, path)
        own = {(one.path, one.span.line) for one in found if one.rule == rule.name}
        assert sorted(own) == marked, [(one.rule, one.span.line, one.message) for one in found]
        assert found[0].rule == rule.name, [(one.rule, one.message) for one in found]


@pytest.mark.slow
@pytest.mark.parametrize("rule", RULES)
def test_a_good_training_ends_in_no_diagnosis(rule, tmp_path, torched):
    trainings = trainings_of(rule, "Good")
    assert trainings
    for number, code in enumerate(trainings):
        path = tmp_path / f"good_{number}.py"
        if rule.name == "memory-growth":  # this process is full of what other tests have left
            path.write_text(f"{code}\nassert not monitor.diagnoses, monitor.diagnoses\n")
            torched.run([path], cwd=tmp_path).check_returncode()
            continue
        assert [
            (one.rule, one.message)
            for one in diagnoses_of(code, str(path))
            if one.severity is not Severity.ADVICE
        ] == []
