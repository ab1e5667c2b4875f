"""The format `grouped`: one line for every diagnosis, under the name of its file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trainlint.output import fixes
from trainlint.output.moments import when
from trainlint.output.style import Style, printable
from trainlint.output.text import closing

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trainlint.core.report import FileReport
    from trainlint.output.formats import Linted


def render(linted: Linted) -> Iterator[str]:
    """Yield each file that has something to say, with its diagnoses and failures in columns."""
    style = Style(linted.colours)
    for report in linted.reports:
        rows = list(_rows(report, style, unsafe=linted.unsafe))
        if not rows:
            continue
        yield style.paint(printable(f"{report.path}:"), "bold")
        lines = max(len(line) for line, _, _ in rows)
        columns = max(len(column) for _, column, _ in rows)
        for line, column, said in rows:
            yield f"  {line:>{lines}}{column:<{columns}} {said}"
        yield ""
    yield from closing(linted, style, failures=False)


def _rows(report: FileReport, style: Style, *, unsafe: bool) -> Iterator[tuple[str, str, str]]:
    """Yield the line, the column and the rest of what is said in each place of a file."""
    for one in report.diagnoses:
        severity = style.severity(one.severity, one.severity)
        code = style.paint(one.code, "bold")
        if one.is_mended(unsafe=unsafe):
            code = f"{code} {style.paint(fixes.MARK, 'cyan')}"
        said = f"{severity} {code} {one.rule}: {printable(one.message)}"
        if one.moment is not None:
            yield str(one.span.line) if one.path else "", "", f"{when(one.moment)}: {said}"
            continue
        line, _, column = one.span.place.rpartition(":")
        yield line, f":{column}", said
    for failure in report.failures:
        line = "" if failure.line is None else str(failure.line)
        if failure.cell is not None:
            line = f"cell {failure.cell}:{line}".removesuffix(":")
        yield line, "", f"{style.paint('failure', 'red')} {printable(failure.reason)}"
