"""The code quality report has what GitLab asks for."""

from __future__ import annotations

import json

import pytest

from trainlint.core.diagnosis import Severity, Span
from trainlint.core.report import Failure
from trainlint.output import gitlab


@pytest.fixture
def issues(folder):
    """Return a function that reads the report."""
    del folder
    return lambda linted: json.loads("".join(gitlab.render(linted)))


def test_nothing_found_is_an_empty_list(issues, linted, report):
    assert issues(linted(report())) == []


@pytest.mark.parametrize(
    ("severity", "word"), [("error", "major"), ("warning", "minor"), ("advice", "info")]
)
def test_an_issue_has_the_keys_that_gitlab_reads(issues, linted, report, diagnosis, severity, word):
    one = diagnosis(severity=Severity(severity), span=Span(3, 5, 4, 2))
    (issue,) = issues(linted(report(one)))
    fingerprint = issue.pop("fingerprint")
    assert len(fingerprint) == 32
    assert issue == {
        "check_name": "TL301",
        "description": "TL301 a-rule: said Do it.",
        "severity": word,
        "location": {
            "path": "f.py",
            "positions": {"begin": {"line": 3, "column": 5}, "end": {"line": 4, "column": 2}},
        },
    }


def test_fingerprints_are_unique(issues, linted, report, diagnosis):
    one = diagnosis()
    found = issues(linted(report(one, one), report(diagnosis(path="g.py"), path="g.py")))
    assert len({issue["fingerprint"] for issue in found}) == 3


def test_paths_are_from_the_top_of_the_repository(
    issues, linted, report, diagnosis, folder, monkeypatch
):
    def path(given):
        (issue,) = issues(linted(report(diagnosis(path=given), path=given)))
        return issue["location"]["path"]

    (folder / "sub").mkdir()
    monkeypatch.chdir(folder / "sub")
    assert path("./a/../f.py") == "f.py"
    assert path(str(folder / "sub" / "f.py")) == "f.py"
    assert path("../f.py") == str(folder / "f.py")
    monkeypatch.setenv("CI_PROJECT_DIR", str(folder))
    assert path("f.py") == "sub/f.py"
    assert path("../f.py") == "f.py"
    assert path("..f.py") == "sub/..f.py"


def test_what_could_not_be_linted_is_a_critical_issue(issues, linted, report):
    failures = (Failure("f.py", 3, "syntax error"), Failure("f.py", None, "gone"))
    syntax, gone = issues(linted(report(failures=failures)))
    assert syntax["check_name"] == "failure"
    assert syntax["severity"] == "critical"
    assert syntax["description"] == "could not be linted: syntax error"
    assert syntax["location"] == {"path": "f.py", "positions": {"begin": {"line": 3, "column": 1}}}
    # GitLab takes no issue without a line.
    assert gone["location"]["positions"]["begin"]["line"] == 1
    assert gone["fingerprint"] != syntax["fingerprint"]
