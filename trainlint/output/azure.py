"""The format `azure`: diagnoses as issues of an Azure pipeline."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trainlint.core.diagnosis import Severity
from trainlint.output.moments import told

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trainlint.output.formats import Linted


def render(linted: Linted) -> Iterator[str]:
    """Yield one logging command for every diagnosis and every failure."""
    for report in linted.reports:
        for one in report.diagnoses:
            where = {
                "sourcepath": one.path,
                "linenumber": str(one.span.in_file.line),
                "columnnumber": str(one.span.in_file.column),
            }
            properties = {**(where if one.path else {}), "code": one.code}
            # Azure knows no third level.
            level = "error" if one.severity is Severity.ERROR else "warning"
            yield _command(level, properties, told(one))
        for failure in report.failures:
            number = failure.line_in_file
            line = {} if number is None else {"linenumber": str(number)}
            properties = {"sourcepath": failure.path, **line, "code": "failure"}
            yield _command("error", properties, failure.said)


def _command(level: str, properties: dict[str, str], message: str) -> str:
    """Return a logging command with what needs it escaped."""
    listed = "".join(
        f"{key}={_escaped(value).replace(';', '%3B').replace(']', '%5D')};"
        for key, value in {"type": level, **properties}.items()
    )
    return f"##vso[task.logissue {listed}]{_escaped(message)}"


def _escaped(text: str) -> str:
    """Return text that a logging command may hold."""
    return text.replace("%", "%AZP25").replace("\r", "%0D").replace("\n", "%0A")
