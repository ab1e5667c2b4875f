"""Shows what was said of a training in the formats in which `check` shows what it says of files."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from trainlint.cli.output import in_colours, write
from trainlint.core.diagnosis import Span
from trainlint.core.paths import below_here
from trainlint.core.report import CONTEXT, FileReport
from trainlint.output.formats import Linted, render

if TYPE_CHECKING:
    from collections.abc import Sequence

    from trainlint.core.catalogue import Catalogue
    from trainlint.core.diagnosis import Diagnosis

IN_ORDER: Final = frozenset({"full", "concise", "json-lines"})
"""The formats in which diagnoses stand in the order in which they were made; else file by file."""


@dataclass(frozen=True, slots=True)
class Told:
    """What was said of a training, and when it ended."""

    file: str
    """What the training is: its recording, or its script; what stands in no file stands there."""
    said: Sequence[Diagnosis]
    steps: int
    ended: float
    """Seconds since 1970: source files that were written later are not shown."""

    def write(
        self,
        catalogue: Catalogue,
        form: str,
        path: str | None,
        *,
        colours: str = "auto",
        summary: bool = True,
        statistics: bool = False,
    ) -> None:
        """Write it in a format, to a file or the standard output."""
        linted = Linted(
            reports_of(self.file, self.said, self.ended, in_order=form in IN_ORDER),
            catalogue,
            colours=in_colours(colours, to_file=path is not None),
            summary=summary,
            alone=path is not None,
            steps=self.steps,
        )
        write(render(form, linted, statistics=statistics), path)


def reports_of(
    file: str, said: Sequence[Diagnosis], ended: float, *, in_order: bool
) -> list[FileReport]:
    """Return the diagnoses by the files in which they stand; what stands in none is in the recording's.

    ``in_order`` leaves them in the order in which they were made: a file may then come twice.
    """
    reports: list[FileReport] = []
    known: dict[str, FileReport] = {}
    sources: dict[str, list[str]] = {}
    for one in said:
        path = _from_here(one.path) if one.path else ""
        if path and path not in sources:
            sources[path] = _lines(path, ended)
        report = known.get(path)
        if report is None or (in_order and reports[-1] is not report):
            report = known[path] = FileReport(path or file)
            reports.append(report)
        report.diagnoses.append(_placed(one, path, sources.get(path, ()), report))
    return reports


def _from_here(path: str) -> str:
    """Return a path as a person would write it: relative where it lies below the current folder."""
    return (below_here(path) or path) if os.path.isabs(path) else path


def _lines(path: str, ended: float) -> list[str]:
    """Return the lines of a file, if it is still what it was when the training ended."""
    try:
        if os.path.getmtime(path) > ended:
            return []
        with open(path, encoding="utf-8") as source:
            return source.read().splitlines()
    except (OSError, ValueError):
        return []


def _placed(one: Diagnosis, path: str, lines: Sequence[str], report: FileReport) -> Diagnosis:
    """Return a diagnosis that marks the whole line, and keep that line and those around it."""
    line = one.span.line
    if not 1 <= line <= len(lines):
        return replace(one, path=path)
    for number in range(max(1, line - CONTEXT), min(len(lines), line + CONTEXT) + 1):
        report.lines[number] = lines[number - 1]
    text = lines[line - 1]
    first = len(text) - len(text.lstrip()) + 1
    return replace(one, path=path, span=Span(line, first, line, max(first, len(text.rstrip()) + 1)))
