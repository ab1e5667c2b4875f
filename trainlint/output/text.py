"""Diagnoses as text for people: `full`, `concise`, the summary, the statistics."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from trainlint.core.diagnosis import Severity
from trainlint.output.frame import frame
from trainlint.output.style import printable

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from trainlint.core.diagnosis import Diagnosis
    from trainlint.core.report import FileReport, Unresolved
    from trainlint.output.style import Style


def full(reports: Iterable[FileReport], style: Style) -> Iterator[str]:
    """Yield every diagnosis with its code frame and its remedy."""
    for report in reports:
        for diagnosis in report.diagnoses:
            yield _header(diagnosis, style)
            yield f"  {printable(diagnosis.message)}"
            notes = (
                f"{style.paint('remedy:', 'bold')} {printable(diagnosis.remedy)}",
                style.paint(f"read more: trainlint rule {diagnosis.rule}", "dim"),
            )
            yield from frame(diagnosis, report, style, notes)
            yield ""


def concise(reports: Iterable[FileReport], style: Style) -> Iterator[str]:
    """Yield one line for every diagnosis."""
    for report in reports:
        for diagnosis in report.diagnoses:
            yield f"{_header(diagnosis, style)}: {printable(diagnosis.message)}"


def unresolved(found: Iterable[Unresolved], style: Style) -> Iterator[str]:
    """Yield one line for every expression that could not be followed."""
    for one in found:
        place = f"{one.path}:{one.span.line}:{one.span.column}:"
        expression = printable(" ".join(one.expression.split()))
        yield f"{style.paint(printable(place), 'bold')} unresolved `{expression}`: {one.reason}"


def summary(reports: Sequence[FileReport], style: Style) -> str:
    """Return the last line: how many diagnoses in how many files."""
    counts = Counter(one.severity for report in reports for one in report.diagnoses)
    failed = sum(bool(report.failures) for report in reports)
    not_all = f"; {counted(failed, 'file')} could not be linted" if failed else ""
    if not counts:
        if failed:
            linted = len(reports) - failed
            return f"No diagnoses in {counted(linted, 'file')}{not_all}."
        return style.paint("All checks passed.", "green")
    parts = ", ".join(
        style.severity(
            f"{counts[severity]} advice"
            if severity is Severity.ADVICE
            else counted(counts[severity], severity.value),
            severity,
        )
        for severity in Severity
        if counts[severity]
    )
    total = counts.total()
    diagnoses = "1 diagnosis" if total == 1 else f"{total} diagnoses"
    return f"Found {diagnoses} ({parts}) in {counted(len(reports), 'file')}{not_all}."


def statistics(reports: Iterable[FileReport], style: Style) -> Iterator[str]:
    """Yield one line for every rule that spoke: how often, its code, severity and name."""
    rows = count(reports)
    if not rows:
        return
    digits = len(str(rows[0][1]))
    codes = max(len(one.code) for one, _ in rows)
    severities = max(len(one.severity) for one, _ in rows)
    for one, number in rows:
        severity = style.severity(f"{one.severity:<{severities}}", one.severity)
        yield f"{number:>{digits}}  {one.code:<{codes}}  {severity}  {one.rule}"


def count(reports: Iterable[FileReport]) -> list[tuple[Diagnosis, int]]:
    """Return one diagnosis of each rule and severity with their number, the most frequent first."""
    counts: Counter[tuple[str, Severity]] = Counter()
    first: dict[tuple[str, Severity], Diagnosis] = {}
    for report in reports:
        for diagnosis in report.diagnoses:
            key = (diagnosis.code, diagnosis.severity)
            counts[key] += 1
            first.setdefault(key, diagnosis)
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return [(first[key], number) for key, number in ordered]


def counted(number: int, noun: str) -> str:
    """Return a number with its noun, in the plural where it needs one."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _header(diagnosis: Diagnosis, style: Style) -> str:
    """Return where a diagnosis is and which rule it is of."""
    place = f"{diagnosis.path}:{diagnosis.span.line}:{diagnosis.span.column}:"
    severity = style.severity(diagnosis.severity, diagnosis.severity)
    code = style.paint(diagnosis.code, "bold")
    return f"{style.paint(printable(place), 'bold')} {severity} {code} {diagnosis.rule}"
