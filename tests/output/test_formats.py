"""The formats hold what a diagnosis says, whatever signs it has."""

from __future__ import annotations

import json
from dataclasses import replace
from importlib import import_module

import pytest

from trainlint.core.catalogue import Catalogue
from trainlint.core.diagnosis import Diagnosis, Severity, Span
from trainlint.core.errors import UserError
from trainlint.core.fix import Edit, Fix, Safety
from trainlint.core.report import Failure, FileReport
from trainlint.output import concise, github, json_format, text
from trainlint.output.formats import FORMATS, Linted, refuse, render
from trainlint.output.style import Style


def diagnosis(**changes):
    """Return a diagnosis."""
    one = Diagnosis("a-rule", "TL301", Severity.ERROR, "f.py", Span(3, 5, 3, 9), "said", "Do it.")
    return replace(one, **changes)


def report(*diagnoses, path="f.py", failures=()):
    """Return the report of a file."""
    return FileReport(path, list(diagnoses), list(failures))


def linted(*reports, **keywords):
    """Return what linting gave."""
    return Linted(reports, Catalogue({}), **keywords)


@pytest.mark.parametrize(
    ("reports", "line"),
    [
        ([report()], "All checks passed."),
        ([], "All checks passed."),
        ([report(diagnosis())], "Found 1 diagnosis (1 error) in 1 file."),
        (
            [
                report(*[diagnosis(severity=Severity.WARNING)] * 2),
                report(diagnosis(), diagnosis(severity=Severity.ADVICE)),
            ],
            "Found 4 diagnoses (1 error, 2 warnings, 1 advice) in 2 files.",
        ),
        (
            [report(failures=[Failure("f.py", 1, "broken")])],
            "1 file could not be linted.",
        ),
        (
            [report(diagnosis()), report(failures=[Failure("g.py", 1, "broken")] * 2)],
            "Found 1 diagnosis (1 error) in 1 file; 1 file could not be linted.",
        ),
    ],
)
def test_the_summary_counts_diagnoses_by_severity_and_files(reports, line):
    assert text.summary(reports, Style()) == line


def test_concise_is_one_line_whatever_the_message_holds():
    one = diagnosis(message="a\nb\tc\x1b[0m")
    (line,) = concise.render(linted(report(one), summary=False))
    assert "\n" not in line
    assert "\x1b" not in line
    assert line.startswith("f.py:3:5: error TL301 a-rule: a")


def test_json_is_ascii_and_reads_back():
    fix = Fix("mend", Safety.UNSAFE, (Edit(1, 2, "é"),))
    one = diagnosis(message="`é` 中 \udcff", path="\udcff.py", fix=fix)
    (written,) = json_format.render(linted(report(one, path="\udcff.py")))
    assert written.isascii()
    document = json.loads(written)
    assert list(document) == ["version", "files", "diagnoses", "failures"]
    (read,) = document["diagnoses"]
    assert read == {
        "rule": "a-rule",
        "code": "TL301",
        "severity": "error",
        "path": "\udcff.py",
        "span": {"cell": None, "line": 3, "column": 5, "end_line": 3, "end_column": 9},
        "message": "`é` 中 \udcff",
        "label": "",
        "remedy": "Do it.",
        "related": [],
        "fix": {
            "title": "mend",
            "safety": "unsafe",
            "edits": [{"cell": None, "start": 1, "end": 2, "replacement": "é"}],
        },
        "page": {"summary": None, "sources": []},
    }


def test_every_key_of_the_json_is_described_where_it_is_made():
    def keys(value):
        if isinstance(value, dict):
            for key, inner in value.items():
                yield key
                yield from keys(inner)
        elif isinstance(value, list):
            for inner in value:
                yield from keys(inner)

    fix = Fix("mend", Safety.SAFE, (Edit(1, 2, ""),))
    failures = [Failure("f.py", None, "broken")]
    reports = [report(diagnosis(fix=fix), failures=failures)]
    (written,) = json_format.render(linted(*reports, unresolved=True))
    described = json_format.__doc__ or ""
    for key in keys(json.loads(written)):
        assert key in described, key


def test_a_failure_in_json_has_a_line_or_null():
    failures = [Failure("f.py", 3, "broken"), Failure("g", None, "gone")]
    (written,) = json_format.render(linted(report(failures=failures)))
    assert json.loads(written)["failures"] == [
        {"path": "f.py", "cell": None, "line": 3, "reason": "broken"},
        {"path": "g", "cell": None, "line": None, "reason": "gone"},
    ]


@pytest.mark.parametrize(
    ("severity", "level"), [("error", "error"), ("warning", "warning"), ("advice", "notice")]
)
def test_github_has_a_level_for_each_severity(severity, level):
    (line,) = github.render(linted(report(diagnosis(severity=Severity(severity)))))
    assert line == (
        f"::{level} title=TL301 a-rule,file=f.py,line=3,endLine=3,col=5,endColumn=9"
        "::f.py:3:5: TL301 said%0ADo it."
    )


def test_github_commands_are_escaped():
    one = diagnosis(path="a,b:c%.py", message="50% of\r\nit: a,b")
    (line,) = github.render(linted(report(one)))
    assert "file=a%2Cb%3Ac%25.py," in line
    assert line.endswith("TL301 50%25 of%0D%0Ait: a,b%0ADo it.")


def test_github_gets_columns_for_a_single_line_only_and_failures_too():
    reports = [
        report(diagnosis(span=Span(3, 5, 4, 2)), failures=[Failure("g.py", None, "is broken")])
    ]
    many, failure = github.render(linted(*reports))
    assert "line=3,endLine=4::" in many
    assert failure == "::error title=trainlint,file=g.py::g.py: is broken"


def test_statistics_of_nothing_are_nothing():
    assert list(text.statistics(linted(report(), summary=False))) == []
    (written,) = json_format.statistics(linted(report()))
    assert json.loads(written) == {"version": 1, "statistics": []}


def test_sets_are_written_in_a_fixed_order():
    words = frozenset({"b", "a", "d", "c"})
    assert json.loads(json_format._text({"words": words})) == {"words": ["a", "b", "c", "d"]}


RUFF = (
    *("concise", "full", "json", "json-lines", "junit", "grouped"),
    *("github", "gitlab", "pylint", "rdjson", "azure", "sarif"),
)


def test_the_formats_are_those_of_ruff():
    assert set(FORMATS) == set(RUFF)


@pytest.mark.parametrize("name", FORMATS)
def test_a_format_can_what_the_registry_says(name):
    module = import_module(f"trainlint.output.{FORMATS[name].module}")
    assert hasattr(module, "render")
    assert hasattr(module, "statistics") is FORMATS[name].statistics
    assert f"`{name}`" in (module.__doc__ or "").partition("\n")[0] or name == "json"


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_tells_of_every_diagnosis_and_failure(name):
    gone = report(path="gone.py", failures=[Failure("gone.py", None, "was not there")])
    found = report(diagnosis(message="spoke"), failures=[Failure("f.py", 7, "is torn")])
    shown = "\n".join(render(name, linted(gone, found, alone=True)))
    for said in ("TL301", "spoke", "is torn", "was not there", "f.py", "gone.py"):
        assert said in shown, said


@pytest.mark.parametrize("name", FORMATS)
def test_what_a_format_cannot_show_is_refused(name):
    refuse(name, statistics=False, unresolved=False)
    if not FORMATS[name].statistics:
        with pytest.raises(UserError, match=f"^--statistics has no {name} format$"):
            refuse(name, statistics=True, unresolved=False)
    if not FORMATS[name].unresolved:
        with pytest.raises(UserError, match=f"^--show-unresolved has no {name} format$"):
            refuse(name, statistics=False, unresolved=True)


def test_statistics_as_json_have_no_room_for_what_could_not_be_followed():
    with pytest.raises(UserError, match="exclude each other in the json format"):
        refuse("json", statistics=True, unresolved=True)
    refuse("full", statistics=True, unresolved=True)
