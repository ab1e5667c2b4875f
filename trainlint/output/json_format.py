"""Diagnoses as JSON; the format does not change within a version.

Every document is one object with ``version``. New keys may come without a new version, so a reader
skips what it does not know. Texts are ASCII with escapes. All keys below are always there.

``trainlint check --output-format json``::

    version      number
    files        number of files that were looked at, those with failures among them
    diagnoses    list, by the order of the files and then of the lines:
        rule, code       name and code of the rule
        severity         "error", "warning" or "advice"
        path             the file, as the user named it or as it was found
        span             the marked code
        message          one sentence: what is wrong
        label            what the marked code is to the diagnosis, may be empty
        remedy           one sentence: what to do
        moment           only of a training, with which `trainlint replay` deals; an object:
            step         number of the optimizer's step; 0 is before the first
            layer        path of the layer or parameter, empty where the whole run is meant
            what         what that is: "Linear 256→256"
            rank         number of the process, else null
            evidence     list of what, value, bound (or null), signal; "NaN", "Infinity" and
                         "-Infinity" are texts
        related          list of further places: path, span, label
        fix              null, or an object:
            title        what it does
            safety       "safe" (the training does the same) or "unsafe"
            edits        list: replace the characters start to end by replacement
        page             what the rule's page says:
            summary      its first sentence, null where the rule has no page
            sources      list of who says so: title, url
    failures     list of what could not be linted:
        path             the file or folder
        cell             number of the cell of a notebook, else null
        line             number, or null where there is none
        reason           why
    unresolved   only with --show-unresolved; list of what could not be followed:
        path, span, expression, reason

A ``span`` has ``cell``, ``line``, ``column``, ``end_line`` and ``end_column``: they count characters
from 1, the end is exclusive. An edit has ``cell``, ``start``, ``end`` and ``replacement``: the offsets
count characters of the decoded file (without a byte order mark, line ends as they are) from 0, the
end is exclusive. ``cell`` is null, but in a notebook: there it is the number of a cell, counted from 1
with those that hold no code, and lines and offsets are those of the source of that cell.

``trainlint replay`` and ``trainlint run`` write the same. ``files`` counts those in which something
stands, ``steps`` the steps that were looked at, and ``path`` and ``span`` are null where a diagnosis
stands in no file.

``trainlint check --statistics --output-format json``: ``statistics`` is a list of ``rule``, ``code``,
``severity``, ``count``; the most frequent first.

``trainlint rules --output-format json``: ``rules`` is a list, in the order of the codes, of ``rule``,
``code``, ``family``, ``severity``, ``fixable`` (null or the safety of its fix), ``title`` (one
sentence), ``thresholds`` (names and defaults) and ``on`` (whether it is on in this folder).

``trainlint rule NAME --output-format json``: ``rule`` is an object with the same keys without ``on``,
and ``summary``, ``sources`` and ``text`` (the Markdown) of its page.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from trainlint.output.moments import as_json
from trainlint.output.text import count

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from trainlint.core.diagnosis import Diagnosis, Span
    from trainlint.core.fix import Edit
    from trainlint.core.page import Page
    from trainlint.core.report import Failure, FileReport, Unresolved
    from trainlint.core.rule import Rule
    from trainlint.output.formats import Linted
    from trainlint.output.listing import Listed

VERSION: Final = 1
"""Grows when a key changes its meaning or goes; keys may be added without it."""


def render(linted: Linted) -> Iterator[str]:
    """Yield the diagnoses of all files."""
    reports = linted.reports
    document: dict[str, Any] = {
        "version": VERSION,
        "files": len(reports),
        "diagnoses": [
            diagnosis(one, each, linted.page(one.rule))
            for each in reports
            for one in each.diagnoses
        ],
        "failures": [failure(one) for each in reports for one in each.failures],
    }
    if linted.steps is not None:
        document["steps"] = linted.steps
    if linted.unresolved:
        document["unresolved"] = [unresolved(one) for each in reports for one in each.unresolved]
    yield _text(document)


def statistics(linted: Linted) -> Iterator[str]:
    """Yield how often each rule spoke."""
    rows = [
        {"rule": one.rule, "code": one.code, "severity": one.severity, "count": number}
        for one, number in count(linted.reports)
    ]
    yield _text({"version": VERSION, "statistics": rows})


def page(rule: Rule, found: Page | None) -> str:
    """Return a rule with its page."""
    return _text(
        {
            "version": VERSION,
            "rule": {**_rule(rule), **_page(found), "text": found.text if found else None},
        }
    )


def rules(listed: Iterable[Listed]) -> str:
    """Return a list of rules, each with whether it is on and the severity that it has."""
    shown = [{**_rule(one.rule), "severity": one.severity, "on": one.on} for one in listed]
    return _text({"version": VERSION, "rules": shown})


def _rule(rule: Rule) -> dict[str, Any]:
    """Return what is known of a rule without its page."""
    return {
        "rule": rule.name,
        "code": rule.code,
        "family": rule.family,
        "severity": rule.severity,
        "fixable": rule.fixable,
        "title": rule.summary,
        "thresholds": dict(rule.thresholds),
    }


def _page(found: Page | None) -> dict[str, Any]:
    """Return what a page says in short."""
    if found is None:
        return {"summary": None, "sources": []}
    links = [{"title": link.title, "url": link.url} for link in found.sources]
    return {"summary": found.summary, "sources": links}


def diagnosis(one: Diagnosis, report: FileReport, found: Page | None) -> dict[str, Any]:
    """Return one diagnosis of the report of a file."""
    fix = one.fix
    return {
        "rule": one.rule,
        "code": one.code,
        "severity": one.severity,
        "path": one.path or None,
        "span": _span(one.span) if one.path else None,
        "message": one.message,
        "label": one.label,
        "remedy": one.remedy,
        **({} if one.moment is None else {"moment": as_json(one.moment)}),
        "related": [
            {
                "path": place.path or one.path,
                "span": _span(place.span),
                "label": place.label,
            }
            for place in one.related
        ],
        "fix": fix
        and {
            "title": fix.title,
            "safety": fix.safety,
            "edits": [_edit(edit, report) for edit in fix.edits],
        },
        "page": _page(found),
    }


def failure(one: Failure) -> dict[str, Any]:
    """Return one thing that could not be linted."""
    return {"path": one.path, "cell": one.cell, "line": one.line, "reason": one.reason}


def unresolved(one: Unresolved) -> dict[str, Any]:
    """Return one expression that could not be followed."""
    return {
        "path": one.path,
        "span": _span(one.span),
        "expression": one.expression,
        "reason": one.reason,
    }


def _edit(edit: Edit, report: FileReport) -> dict[str, Any]:
    """Return an edit; in a notebook it counts from the start of its cell."""
    cell = report.cell(edit.start)
    before = 0 if cell is None else cell.start
    return {
        "cell": None if cell is None else cell.number,
        "start": edit.start - before,
        "end": edit.end - before,
        "replacement": edit.replacement,
    }


def _span(span: Span) -> dict[str, int | None]:
    """Return a span; in a notebook its lines are those of its cell."""
    cell, span = span.cell, span.shown
    return {
        "cell": None if cell is None else cell.number,
        "line": span.line,
        "column": span.column,
        "end_line": span.end_line,
        "end_column": span.end_column,
    }


def _text(document: dict[str, Any]) -> str:
    """Return the document as text; ASCII, so that any path survives any encoding."""
    return json.dumps(document, indent=2, default=sorted)
