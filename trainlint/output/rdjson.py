"""The format `rdjson`: the diagnostic format of reviewdog, whose columns count bytes of UTF-8."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from trainlint.core.diagnosis import Severity
from trainlint.core.site import page_url, site_url
from trainlint.output.moments import told

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from trainlint.core.diagnosis import Diagnosis, Span
    from trainlint.core.report import Failure, FileReport
    from trainlint.output.formats import Linted

_SEVERITIES: Final = {
    Severity.ERROR: "ERROR",
    Severity.WARNING: "WARNING",
    Severity.ADVICE: "INFO",
}


def render(linted: Linted) -> Iterator[str]:
    """Yield the document."""
    listed: list[dict[str, Any]] = []
    for report in linted.reports:
        listed += [_diagnostic(one, report, linted) for one in report.diagnoses]
        listed += [_lost(failure) for failure in report.failures]
    source = {"name": "trainlint"}
    if site := site_url():
        source["url"] = site
    yield json.dumps({"source": source, "severity": "WARNING", "diagnostics": listed}, indent=2)


def _diagnostic(one: Diagnosis, report: FileReport, linted: Linted) -> dict[str, Any]:
    """Return one diagnosis."""
    rule = linted.catalogue.find(one.rule)
    code = {"value": one.code}
    if rule and (url := page_url(rule)):
        code["url"] = url
    found: dict[str, Any] = {
        "message": told(one),
        "location": {"path": one.path, "range": _range(one.span, report.lines)}
        if one.path
        else {"path": report.path},
        "severity": _SEVERITIES[one.severity],
        "code": code,
    }
    if one.fix is not None and not report.cells:
        found["suggestions"] = [
            {
                "range": {
                    "start": _position(*report.place(edit.start), report.lines),
                    "end": _position(*report.place(edit.end), report.lines),
                },
                "text": edit.replacement,
            }
            for edit in one.fix.edits
        ]
    if one.related:
        found["related_locations"] = [
            {
                "message": f"{place.span.prefix}{place.label}",
                "location": {
                    "path": place.path or one.path,
                    "range": _range(
                        place.span,
                        report.others.get(place.path, {}) if place.path else report.lines,
                    ),
                },
            }
            for place in one.related
        ]
    return found


def _lost(failure: Failure) -> dict[str, Any]:
    """Return one thing that could not be linted."""
    where: dict[str, Any] = {"path": failure.path}
    if failure.line is not None:
        where["range"] = {"start": {"line": failure.line_in_file, "column": 1}}
    return {
        "message": f"could not be linted: {failure.said}",
        "location": where,
        "severity": "ERROR",
        "code": {"value": "failure"},
    }


def _range(span: Span, lines: Mapping[int, str]) -> dict[str, Any]:
    """Return a stretch of a file."""
    if span.cell is not None:
        span, lines = span.in_file, {}
    return {
        "start": _position(span.line, span.column, lines),
        "end": _position(span.end_line, span.end_column, lines),
    }


def _position(line: int, column: int, lines: Mapping[int, str]) -> dict[str, int]:
    """Return a place, its column counted in bytes where the text of the line is at hand."""
    before = lines.get(line, "")[: column - 1]
    return {
        "line": line,
        "column": column + len(before.encode("utf-8", "surrogatepass")) - len(before),
    }
