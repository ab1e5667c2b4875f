"""The format `github`: diagnoses as annotations of a GitHub workflow."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from trainlint.core.diagnosis import Severity
from trainlint.output.moments import place

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trainlint.core.diagnosis import Diagnosis
    from trainlint.output.formats import Linted

_LEVELS: Final = {
    Severity.ERROR: "error",
    Severity.WARNING: "warning",
    Severity.ADVICE: "notice",
}


def render(linted: Linted) -> Iterator[str]:
    """Yield one workflow command for every diagnosis and every failure."""
    for report in linted.reports:
        for diagnosis in report.diagnoses:
            yield _annotation(diagnosis)
        for failure in report.failures:
            number = failure.line_in_file
            line = {} if number is None else {"line": str(number)}
            properties = {"title": "trainlint", "file": failure.path, **line}
            yield _command("error", properties, str(failure))


def _annotation(diagnosis: Diagnosis) -> str:
    """Return the workflow command of a diagnosis."""
    span = diagnosis.span.in_file
    properties = {"title": f"{diagnosis.code} {diagnosis.rule}"}
    if diagnosis.path:
        properties |= {
            "file": diagnosis.path,
            "line": str(span.line),
            "endLine": str(span.end_line),
        }
    if span.line == span.end_line and diagnosis.moment is None:
        # GitHub shows columns only for a single line.
        properties |= {"col": str(span.column), "endColumn": str(span.end_column)}
    parts = [f"{place(diagnosis)} {diagnosis.code} {diagnosis.message}"]
    parts += [f"{one.path}:{one.span.place}: {one.label}" for one in diagnosis.related if one.path]
    message = "\n".join([*parts, diagnosis.remedy])
    return _command(_LEVELS[diagnosis.severity], properties, message)


def _command(level: str, properties: dict[str, str], message: str) -> str:
    """Return a workflow command with what needs it escaped."""
    listed = ",".join(
        f"{key}={_escaped(value).replace(':', '%3A').replace(',', '%2C')}"
        for key, value in properties.items()
    )
    return f"::{level} {listed}::{_escaped(message)}"


def _escaped(text: str) -> str:
    """Return text that a workflow command may hold."""
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
