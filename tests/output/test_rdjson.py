"""The diagnostics are what reviewdog reads: columns in bytes, fixes as suggestions."""

from __future__ import annotations

import json

import pytest

from trainlint.core.diagnosis import Severity
from trainlint.core.report import Failure
from trainlint.output import rdjson


def read(linted):
    """Return the document."""
    return json.loads("".join(rdjson.render(linted)))


def test_nothing_found_is_an_empty_list(linted, report):
    assert read(linted(report())) == {
        "source": {"name": "trainlint"},
        "severity": "WARNING",
        "diagnostics": [],
    }


@pytest.mark.parametrize(
    ("severity", "word"), [("error", "ERROR"), ("warning", "WARNING"), ("advice", "INFO")]
)
def test_a_diagnostic_has_its_place_code_and_severity(linted, report, diagnosis, severity, word):
    (one,) = read(linted(report(diagnosis(severity=Severity(severity)))))["diagnostics"]
    assert one == {
        "message": "said Do it.",
        "location": {
            "path": "f.py",
            "range": {"start": {"line": 3, "column": 5}, "end": {"line": 3, "column": 9}},
        },
        "severity": word,
        "code": {"value": "TL301"},
    }


def test_columns_count_bytes_and_the_suggestions_make_the_fix(lint, twice):
    text = twice.replace("    outputs", "    é = '😀'; outputs").replace(
        "return F", "ü = '中'; return F"
    )
    (one,) = read(lint("TL301", {"train.py": text}))["diagnostics"]
    lines = text.encode().splitlines(keepends=True)

    def offset(position):
        return sum(map(len, lines[: position["line"] - 1])) + position["column"] - 1

    where = one["location"]["range"]
    marked = text.encode()[offset(where["start"]) : offset(where["end"])]
    assert marked == b"F.cross_entropy(outputs, targets)"
    (related,) = one["related_locations"]
    where = related["location"]["range"]
    assert text.encode()[offset(where["start"]) : offset(where["end"])].startswith(b"F.softmax(")
    mended = text.encode()
    for suggestion in reversed(one["suggestions"]):
        start, end = (offset(suggestion["range"][key]) for key in ("start", "end"))
        mended = mended[:start] + suggestion["text"].encode() + mended[end:]
    assert mended.decode() == text.replace("F.softmax(net(inputs), dim=1)", "net(inputs)")


def test_a_related_place_in_another_file_is_counted_in_its_lines(linted, report, diagnosis):
    from trainlint.core.diagnosis import Related, Span  # noqa: PLC0415

    found = report(diagnosis(related=(Related(Span(1, 5, 1, 6), "made here", "g.py"),)))
    found.others = {"g.py": {1: "é = f"}}
    (one,) = read(linted(found))["diagnostics"]
    assert one["related_locations"] == [
        {
            "message": "made here",
            "location": {
                "path": "g.py",
                "range": {"start": {"line": 1, "column": 6}, "end": {"line": 1, "column": 7}},
            },
        }
    ]


def test_what_could_not_be_linted_is_an_error(linted, report):
    failures = (Failure("f.py", 3, "broken"), Failure("g", None, "gone"))
    broken, gone = read(linted(report(failures=failures)))["diagnostics"]
    assert broken == {
        "message": "could not be linted: broken",
        "location": {"path": "f.py", "range": {"start": {"line": 3, "column": 1}}},
        "severity": "ERROR",
        "code": {"value": "failure"},
    }
    assert gone["location"] == {"path": "g"}


def test_codes_link_to_the_site_where_there_is_one(lint, twice, monkeypatch):
    monkeypatch.setenv("TRAINLINT_SITE", "https://lint.example")
    document = read(lint("TL301", {"train.py": twice}))
    assert document["source"]["url"] == "https://lint.example/"
    assert document["diagnostics"][0]["code"] == {
        "value": "TL301",
        "url": "https://lint.example/rules/loss/softmax-before-cross-entropy/",
    }
