"""The format `sarif`: SARIF 2.1.0, which GitHub's code scanning and many editors read."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

from trainlint import __version__
from trainlint.core.diagnosis import Severity
from trainlint.core.paths import below_here
from trainlint.core.site import page_url, site_url
from trainlint.output.fingerprint import fingerprinted
from trainlint.output.moments import as_json, subject, told

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trainlint.core.diagnosis import Diagnosis, Span
    from trainlint.core.fix import Fix
    from trainlint.core.report import Failure, FileReport
    from trainlint.output.formats import Linted

SCHEMA: Final = (
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
)
ROOT: Final = "SRCROOT"
"""What relative addresses of files are relative to: the folder in which trainlint was started."""

_LEVELS: Final = {
    Severity.ERROR: "error",
    Severity.WARNING: "warning",
    Severity.ADVICE: "note",
}
_PROBLEMS: Final = {
    Severity.ERROR: "error",
    Severity.WARNING: "warning",
    Severity.ADVICE: "recommendation",
}
"""The words that GitHub filters by."""


def render(linted: Linted) -> Iterator[str]:
    """Yield the document: one run, with the rules that spoke."""
    spoke = {one.rule: one for report in linted.reports for one in report.diagnoses}
    rules = sorted(spoke.values(), key=lambda one: one.code)
    numbers = {one.rule: number for number, one in enumerate(rules)}
    results = [
        _result(one, numbers[one.rule], fingerprint, report)
        for report in linted.reports
        for one, fingerprint in fingerprinted(report, _relative(report.path) or report.path)
    ]
    failures = [one for report in linted.reports for one in report.failures]
    driver: dict[str, Any] = {
        "name": "trainlint",
        "version": __version__,
        "rules": [_rule(one, linted) for one in rules],
    }
    if failures:
        text = {"text": "A file could not be linted."}
        driver["notifications"] = [{"id": "failure", "shortDescription": text}]
    if site := site_url():
        driver["informationUri"] = site
    run = {
        "tool": {"driver": driver},
        "invocations": [
            {
                "executionSuccessful": not failures,
                "toolExecutionNotifications": [_notification(one) for one in failures],
            }
        ],
        "originalUriBaseIds": {ROOT: {"uri": _root()}},
        "columnKind": "unicodeCodePoints",
        "results": results,
    }
    yield json.dumps({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}, indent=2)


def _rule(spoken: Diagnosis, linted: Linted) -> dict[str, Any]:
    """Return a rule with its page."""
    rule = linted.catalogue.find(spoken.rule)
    severity = rule.severity if rule else spoken.severity
    described: dict[str, Any] = {
        "id": spoken.code,
        "name": spoken.rule,
        "defaultConfiguration": {
            "level": _LEVELS[severity],
            "enabled": severity is not Severity.ADVICE,
        },
    }
    properties: dict[str, Any] = {"problem.severity": _PROBLEMS[severity]}
    if rule:
        described["shortDescription"] = {"text": rule.summary}
        properties["tags"] = [str(rule.family)]
        if url := page_url(rule):
            described["helpUri"] = url
    if page := linted.page(spoken.rule):
        introduction = page.introduction.strip()
        described["fullDescription"] = {"text": _plain(introduction), "markdown": introduction}
        described["help"] = {"text": page.text, "markdown": page.text}
    described["properties"] = properties
    return described


def _result(one: Diagnosis, rule: int, fingerprint: str, report: FileReport) -> dict[str, Any]:
    """Return one diagnosis."""
    message = _escaped(told(one))
    links = [
        f"[{_in_link(place.label or 'related')}]({number})"
        for number, place in enumerate(one.related, start=1)
    ]
    if links:
        # GitHub shows only the related locations that the message links to.
        message += f" Related: {', '.join(links)}."
    result: dict[str, Any] = {
        "ruleId": one.code,
        "ruleIndex": rule,
        "level": _LEVELS[one.severity],
        "message": {"text": message},
        "locations": [_location(one.path, one.span, one.label)] if one.path else [],
        "partialFingerprints": {"trainlint/v1": fingerprint},
    }
    if one.moment is not None:
        result["properties"] = as_json(one.moment)
        if one.moment.layer:
            layer = {"name": one.moment.layer, "decoratedName": subject(one.moment)}
            place = _location(one.path, one.span, one.label) if one.path else {}
            result["locations"] = [{**place, "logicalLocations": [layer]}]
    if one.related:
        result["relatedLocations"] = [
            {"id": number, **_location(place.path or one.path, place.span, place.label)}
            for number, place in enumerate(one.related, start=1)
        ]
    if one.fix is not None and not report.cells:
        result["fixes"] = [_fix(one.fix, report)]
    return result


def _fix(fix: Fix, report: FileReport) -> dict[str, Any]:
    """Return a fix; a fix edits only the file of its diagnosis."""
    replacements = []
    for edit in sorted(fix.edits, key=lambda edit: (edit.start, edit.end)):
        line, column = report.place(edit.start)
        end_line, end_column = report.place(edit.end)
        deleted = {
            "startLine": line,
            "startColumn": column,
            "endLine": end_line,
            "endColumn": end_column,
        }
        inserted = {"insertedContent": {"text": edit.replacement}} if edit.replacement else {}
        replacements.append({"deletedRegion": deleted, **inserted})
    return {
        "description": {"text": _escaped(f"{fix.title} ({fix.safety})")},
        "artifactChanges": [
            {"artifactLocation": _artifact(report.path), "replacements": replacements}
        ],
    }


def _notification(failure: Failure) -> dict[str, Any]:
    """Return one thing that could not be linted."""
    physical: dict[str, Any] = {"artifactLocation": _artifact(failure.path)}
    if failure.line is not None:
        physical["region"] = {"startLine": failure.line_in_file}
    return {
        "descriptor": {"id": "failure", "index": 0},
        "level": "error",
        "message": {"text": _escaped(f"could not be linted: {failure.said}")},
        "locations": [{"physicalLocation": physical}],
    }


def _location(path: str, span: Span, label: str) -> dict[str, Any]:
    """Return a stretch of a file, and what it is to the diagnosis."""
    label, span = f"{span.prefix}{label}".removesuffix(": "), span.in_file
    location: dict[str, Any] = {
        "physicalLocation": {
            "artifactLocation": _artifact(path),
            "region": {
                "startLine": span.line,
                "startColumn": span.column,
                "endLine": span.end_line,
                "endColumn": span.end_column,
            },
        }
    }
    if label:
        location["message"] = {"text": _escaped(label)}
    return location


def _artifact(path: str) -> dict[str, str]:
    """Return the address of a file: relative to the root, or absolute where it lies outside."""
    relative = _relative(path)
    if relative is None:
        return {"uri": Path(os.path.abspath(path)).as_uri()}
    return {"uri": quote(os.fsencode(relative)), "uriBaseId": ROOT}


def _relative(path: str) -> str | None:
    """Return a path from the root with slashes, or None where it lies outside."""
    relative = below_here(path)
    return None if relative is None else relative.replace(os.sep, "/")


def _root() -> str:
    """Return the address of the folder in which trainlint was started; it ends in a slash."""
    address = Path.cwd().as_uri()
    return address if address.endswith("/") else f"{address}/"


def _escaped(text: str) -> str:
    """Return text that holds no placeholder and no link by accident (sections 3.11.5 and 3.11.6)."""
    text = text.replace("{", "{{").replace("}", "}}")
    return _in_link(text) if "](" in text else text


def _in_link(text: str) -> str:
    """Return text that may stand in the brackets of a link."""
    return text.replace("\\", "\\\\").replace("[", "\\[").replace("]", "\\]")


def _plain(markdown: str) -> str:
    """Return Markdown without its links and its line breaks."""
    text = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", markdown)
    return "\n\n".join(" ".join(paragraph.split()) for paragraph in text.split("\n\n"))
