"""The code frame: the marked lines of a diagnosis with what stands around them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from trainlint.core.immutable import immutable
from trainlint.core.report import CONTEXT
from trainlint.output.style import printable, width

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from trainlint.core.diagnosis import Cell, Diagnosis, Severity, Span
    from trainlint.core.report import FileReport
from trainlint.output.style import Style

RELATED_CONTEXT: Final = 1
MOST_LINES: Final = 5
"""A longer span is marked at its first line only."""
LONGEST: Final = 160
"""Of a longer line only what stands around its first mark is shown."""


@immutable
class _Mark:
    """A stretch to underline, and what to say beside it."""

    span: Span
    label: str
    primary: bool

    def lines(self) -> range:
        """Return the numbers of the lines to underline."""
        last = self.span.end_line
        if self.span.end_column == 1 and last > self.span.line:
            last -= 1
        return range(
            self.span.line, (last if last - self.span.line < MOST_LINES else self.span.line) + 1
        )


def frame(
    diagnosis: Diagnosis, report: FileReport, style: Style, notes: Sequence[str] = ()
) -> Iterator[str]:
    """Yield the lines of a diagnosis' code frame, and the notes aligned with it.

    Places in other files, and in other cells of a notebook, follow below, each under a line that
    names its file or its cell.
    """
    marks: dict[tuple[str, Cell | None], list[_Mark]] = {}
    places = [("", diagnosis.span, diagnosis.label)]
    places += [(one.path, one.span, one.label) for one in diagnosis.related]
    for number, (path, span, label) in enumerate(places):
        mark = _Mark(span.shown, label, primary=not number)
        marks.setdefault((path, span.cell), []).append(mark)
    lines = {(path, cell): report.shown_lines(cell, path) for path, cell in marks}
    numbers = {key: _numbers(here, lines[key]) for key, here in marks.items()}
    gutter = max((len(str(shown[-1])) for shown in numbers.values() if shown), default=1)
    for key, here in marks.items():
        path, cell = key
        if path or cell != diagnosis.span.cell:
            place = f"cell {cell.number}:" if cell else ""
            place += f"{here[0].span.line}:{here[0].span.column}"
            place = f"{printable(path)}:{place}" if path else place
            yield f"{' ' * gutter}{style.paint(':::', 'blue')} {place}"
        if numbers[key]:
            shown = {number: lines[key][number] for number in numbers[key]}
            yield from _code(here, shown, gutter, diagnosis.severity, style)
    for note in notes:
        yield f"{' ' * gutter} {style.paint('=', 'blue')} {note}"


def _code(
    marks: list[_Mark], lines: Mapping[int, str], gutter: int, severity: Severity, style: Style
) -> Iterator[str]:
    """Yield the lines to show with the marks below them."""
    empty = style.paint(" " * gutter + " |", "blue")
    yield empty
    previous = min(lines)
    for number, line in lines.items():
        if number > previous + 1:
            yield style.paint("." * max(gutter, 3), "blue")
        previous = number
        here = [mark for mark in marks if number in mark.lines()]
        start = _window(line, number, here)
        text = _cut(line, start)
        bar = style.paint(f"{number:>{gutter}} |", "blue")
        yield f"{bar} {text}".rstrip()
        for mark in sorted(here, key=lambda mark: (mark.span.column, not mark.primary)):
            indent, underline = _underline(mark, number, line, start)
            if mark.primary:
                underline = style.severity(underline, severity)
            else:
                underline = style.paint(underline, "blue")
            yield f"{empty} {indent}{underline}"
    yield empty


def _numbers(marks: list[_Mark], lines: Mapping[int, str]) -> list[int]:
    """Return the numbers of the lines to show."""
    shown: set[int] = set()
    for mark in marks:
        context = CONTEXT if mark.primary else RELATED_CONTEXT
        marked = mark.lines()
        around = [
            number
            for number in range(marked.start - context, marked.stop + context)
            if number in lines
        ]
        while around and around[0] < marked.start and not lines[around[0]].strip():
            del around[0]
        while around and around[-1] >= marked.stop and not lines[around[-1]].strip():
            del around[-1]
        shown.update(around)
    # A single line left out takes as much room as the dots that would stand for it.
    shown.update(n for n in lines if n - 1 in shown and n + 1 in shown)
    return sorted(shown)


def _window(line: str, number: int, marks: list[_Mark]) -> int:
    """Return the offset from which a line is shown."""
    if len(line) <= LONGEST or not marks:
        return 0
    columns = [mark.span.column if mark.span.line == number else 1 for mark in marks]
    return max(0, min(min(columns) - LONGEST // 4, len(line) - LONGEST))


def _cut(line: str, start: int) -> str:
    """Return what is shown of a line."""
    end = start + LONGEST
    shown = printable(line[start:end])
    return ("…" if start else "") + shown + ("…" if end < len(line) else "")


def _underline(mark: _Mark, number: int, line: str, start: int) -> tuple[str, str]:
    """Return the indent and the marks below a line, with the label below the last line."""
    first = mark.span.column - 1 if number == mark.span.line else len(line) - len(line.lstrip())
    last = mark.span.end_column - 1 if number == mark.span.end_line else len(line.rstrip())
    first = max(first, start)
    last = min(last, start + LONGEST)
    before = width(printable(line[start:first])) + (1 if start else 0)
    under = max(1, width(printable(line[first:last])))
    is_last = number == mark.lines()[-1]
    label = f" {printable(mark.label)}" if mark.label and is_last else ""
    return " " * before, ("^" if mark.primary else "-") * under + label
