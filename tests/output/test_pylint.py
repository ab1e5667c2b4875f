"""The lines are those of pylint."""

from __future__ import annotations

import re

from trainlint.core.report import Failure
from trainlint.output import pylint

PYLINT = re.compile(r"^(?P<file>[^:\n]+):(?P<line>\d+): \[(?P<code>\w+)\] (?P<said>.+)$")
"""What CI services look for."""


def test_a_line_is_what_readers_of_pylint_expect(linted, report, diagnosis):
    failures = (Failure("f.py", 3, "broken"), Failure("g", None, "gone"))
    lines = list(pylint.render(linted(report(diagnosis(), failures=failures))))
    assert lines == ["f.py:3: [TL301] said", "f.py:3: [failure] broken", "g:1: [failure] gone"]
    assert all(PYLINT.match(line) for line in lines)


def test_a_diagnosis_is_one_line_whatever_it_holds(linted, report, diagnosis):
    (line,) = pylint.render(linted(report(diagnosis(message="a\nb\x1b[0m", path="f\n.py"))))
    assert line.isprintable()
