"""The logging commands are what an Azure pipeline reads."""

from __future__ import annotations

import pytest

from trainlint.core.diagnosis import Severity
from trainlint.core.report import Failure
from trainlint.output import azure


@pytest.mark.parametrize(
    ("severity", "level"), [("error", "error"), ("warning", "warning"), ("advice", "warning")]
)
def test_an_issue_has_one_of_two_levels(linted, report, diagnosis, severity, level):
    (line,) = azure.render(linted(report(diagnosis(severity=Severity(severity)))))
    assert line == (
        f"##vso[task.logissue type={level};sourcepath=f.py;linenumber=3;columnnumber=5;code=TL301;]"
        "said Do it."
    )


def test_what_would_end_a_property_or_the_line_is_escaped(linted, report, diagnosis):
    one = diagnosis(path="a;b]c%.py", message="50% of\r\nit; x[0]")
    (line,) = azure.render(linted(report(one)))
    assert "sourcepath=a%3Bb%5Dc%AZP25.py;" in line
    assert line.endswith("]50%AZP25 of%0D%0Ait; x[0] Do it.")


def test_what_could_not_be_linted_is_an_error(linted, report):
    failures = (Failure("f.py", 3, "broken"), Failure("g", None, "gone"))
    assert list(azure.render(linted(report(failures=failures)))) == [
        "##vso[task.logissue type=error;sourcepath=f.py;linenumber=3;code=failure;]broken",
        "##vso[task.logissue type=error;sourcepath=g;code=failure;]gone",
    ]
