"""What the texts for people share: the header of a diagnosis, the statistics, the closing lines."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from trainlint.core.diagnosis import Severity
from trainlint.output import fixes
from trainlint.output.moments import place
from trainlint.output.style import Style, printable

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from trainlint.core.diagnosis import Diagnosis
    from trainlint.core.report import FileReport, Unresolved
    from trainlint.output.formats import Linted


def closing(linted: Linted, style: Style, *, failures: bool = True) -> Iterator[str]:
    """Yield what ends a text: failures that are told nowhere else, what was not followed, the summary."""
    reports = linted.reports
    if linted.alone and failures:
        yield from (f"error: {printable(str(one))}" for each in reports for one in each.failures)
    if linted.unresolved:
        yield from unresolved((one for each in reports for one in each.unresolved), style)
    if linted.show_fixed and linted.fixed:
        yield from fixes.listed(linted.fixed)
    if linted.summary:
        number = sum(len(made) for _, made in linted.fixed or ())
        if linted.steps is None:
            yield summary(reports, style, fixed=number)
        else:
            yield summary_of_run(reports, style, linted.steps)
        made = linted.fixed is not None
        yield from fixes.available(reports, unsafe=linted.unsafe, made=made)


def unresolved(found: Iterable[Unresolved], style: Style) -> Iterator[str]:
    """Yield one line for every expression that could not be followed."""
    for one in found:
        where = f"{one.path}:{one.span.place}:"
        expression = printable(" ".join(one.expression.split()))
        yield f"{style.paint(printable(where), 'bold')} unresolved `{expression}`: {one.reason}"


def summary_of_run(reports: Sequence[FileReport], style: Style, steps: int) -> str:
    """Return the line that says how many diagnoses were made in how many steps of a training."""
    counts = _severities(reports)
    within = f"in {counted(steps, 'step')}."
    if not counts:
        return style.paint(f"No diagnoses {within}", "green")
    return f"Found {fixes.diagnoses(counts.total())} ({_counts(counts, style)}) {within}"


def summary(reports: Sequence[FileReport], style: Style, *, fixed: int = 0) -> str:
    """Return the line that says how many diagnoses are in how many files, with those now fixed."""
    counts = _severities(reports)
    failed = sum(bool(report.failures) for report in reports)
    not_all = f"; {counted(failed, 'file')} could not be linted" if failed else ""
    whole = counted(sum(bool(one.diagnoses) or not one.failures for one in reports), "file")
    if not counts:
        gone = f"{fixes.diagnoses(fixed)} ({fixed} fixed, 0 remaining)"
        if failed and failed == len(reports) and not fixed:
            return f"{counted(failed, 'file')} could not be linted."
        if failed:
            return f"{f'Found {gone}' if fixed else 'No diagnoses'} in {whole}{not_all}."
        if fixed:
            return f"Found {gone} in {whole}."
        return style.paint("All checks passed.", "green")
    parts = _counts(counts, style)
    diagnoses = fixes.diagnoses(counts.total() + fixed)
    if fixed:
        parts = f"{fixed} fixed, {counts.total()} remaining: {parts}"
    return f"Found {diagnoses} ({parts}) in {whole}{not_all}."


def _severities(reports: Sequence[FileReport]) -> Counter[Severity]:
    """Count the diagnoses of each severity."""
    return Counter(one.severity for report in reports for one in report.diagnoses)


def _counts(counts: Counter[Severity], style: Style) -> str:
    """Say how many diagnoses there are of each severity."""
    return ", ".join(
        style.severity(
            f"{counts[severity]} advice"
            if severity is Severity.ADVICE
            else counted(counts[severity], severity.value),
            severity,
        )
        for severity in Severity
        if counts[severity]
    )


def statistics(linted: Linted) -> Iterator[str]:
    """Yield one line for every rule that spoke: how often, its code, severity and name."""
    style = Style(linted.colours)
    rows = count(linted.reports)
    digits = max((len(str(number)) for _, number in rows), default=0)
    codes = max((len(one.code) for one, _ in rows), default=0)
    severities = max((len(one.severity) for one, _ in rows), default=0)
    for one, number in rows:
        severity = style.severity(f"{one.severity:<{severities}}", one.severity)
        yield f"{number:>{digits}}  {one.code:<{codes}}  {severity}  {one.rule}"
    yield from closing(linted, style)


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
    return f"{number} {noun}" if number == 1 else f"{number:,} {noun}s"


def header(diagnosis: Diagnosis, style: Style, *, unsafe: bool = False) -> str:
    """Return where a diagnosis is, which rule it is of, and whether its fix would be made."""
    where = place(diagnosis)
    severity = style.severity(diagnosis.severity, diagnosis.severity)
    code = style.paint(diagnosis.code, "bold")
    if diagnosis.is_mended(unsafe=unsafe):
        code = f"{code} {style.paint(fixes.MARK, 'cyan')}"
    return f"{style.paint(printable(where), 'bold')} {severity} {code} {diagnosis.rule}"
