"""What fixes change: as a unified diff of a file, and as the few lines of one fix."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple

from trainlint.output.style import printable

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from trainlint.core.fix import Edit, Fix
    from trainlint.core.report import FileReport
    from trainlint.output.style import Style

CONTEXT: Final = 1
"""How many lines around a change the few lines of a fix show, as in ruff."""

LONGEST: Final = 160
"""Of a longer line only what stands around the change is shown."""

_COLOURS: Final = {"+": "green", "-": "red", "@": "cyan"}
_LINE_END: Final = re.compile(r"\r\n|\r|\n")
_NO_END: Final = "\n\\ No newline at end of file\n"


def unified(path: str, before: str, after: str) -> Iterator[str]:
    """Yield the lines of a unified diff, with their ends, as `patch` and `git apply` take it.

    As for these tools only a line feed ends a line; other characters are part of it.
    """
    from difflib import unified_diff  # noqa: PLC0415 - 3 ms, only where it is used

    name = printable(path)
    for line in unified_diff(_lines(before), _lines(after), name, name):
        yield line if line.endswith("\n") else line + _NO_END


def painted(lines: Iterable[str], style: Style) -> Iterator[str]:
    """Yield the lines of a unified diff for a terminal, without their ends."""
    for line in lines:
        for part in line.removesuffix("\n").split("\n"):
            shown = printable(part.removesuffix("\r"))
            if part.startswith(("--- ", "+++ ")):
                yield style.paint(shown, "bold")
            else:
                yield style.paint(shown, _COLOURS[part[0]]) if part[:1] in _COLOURS else shown


class _Change(NamedTuple):
    """Lines that a fix replaces: the number of the first, the old ones, the new ones."""

    first: int
    old: list[str]
    new: list[str]


def preview(report: FileReport, fix: Fix, style: Style) -> Iterator[str]:
    """Yield what a fix changes: the old lines, the new ones with their numbers, and one around them."""
    changes = list(_changes(report, fix))
    if not report.cells and changes:
        yield from _preview(report.lines, changes, style)
    for cell in report.cells:
        here = [
            one._replace(first=one.first - cell.first + 1)
            for one in changes
            if cell.first <= one.first <= cell.last
        ]
        if here:
            yield f" {style.paint(':::', 'blue')} cell {cell.number}"
            yield from _preview(report.shown_lines(cell), here, style)


def _preview(lines: Mapping[int, str], changes: list[_Change], style: Style) -> Iterator[str]:
    """Yield what changes in a file, or in one cell of a notebook."""
    last = changes[-1].first + len(changes[-1].old) + CONTEXT
    grown = sum(len(one.new) - len(one.old) for one in changes)
    gutter = len(str(max(last, last + grown)))
    bar = style.paint(" " * gutter + " |", "blue")
    yield bar
    rows = dict(_context(lines, changes))
    shift, previous = 0, 0
    for number in sorted({*rows, *(one.first for one in changes)}):
        change = next((one for one in changes if one.first == number), None)
        if previous and number > previous + 1:
            yield style.paint("." * max(gutter, 3), "blue")
        previous = number
        if change is not None:
            at = _difference(change)
            for line in change.old:
                yield style.paint(f"{'':>{gutter}} - {_cut(line, at)}".rstrip(), "red")
            for count, line in enumerate(change.new):
                shown = f"{number + shift + count:>{gutter}} + {_cut(line, at)}".rstrip()
                yield style.paint(shown, "green")
            shift += len(change.new) - len(change.old)
            previous += max(len(change.old) - 1, 0)
        if number in rows:
            head = style.paint(f"{number + shift:>{gutter}} |", "blue")
            yield f"{head} {_cut(rows[number], 0)}".rstrip()
    yield bar


def _context(lines: Mapping[int, str], changes: list[_Change]) -> Iterator[tuple[int, str]]:
    """Yield the unchanged lines around the changes, with their numbers."""
    changed = {one.first + count for one in changes for count in range(len(one.old))}
    for one in changes:
        after = one.first + len(one.old)
        for number in (*range(one.first - CONTEXT, one.first), *range(after, after + CONTEXT)):
            if number in lines and number not in changed and lines[number].strip():
                yield number, lines[number]


def _changes(report: FileReport, fix: Fix) -> Iterator[_Change]:
    """Yield the changes of a fix, those that touch the same lines in one, in order."""
    groups: list[tuple[int, int, list[Edit]]] = []
    for edit in sorted(dict.fromkeys(fix.edits), key=lambda one: (one.start, one.end)):
        first, _ = report.place(edit.start)
        last, _ = report.place(edit.end)
        if groups and first <= groups[-1][1]:
            start, end, edits = groups[-1]
            groups[-1] = (start, max(end, last), [*edits, edit])
        else:
            groups.append((first, last, [edit]))
    for first, last, edits in groups:
        old = [report.lines[number] for number in range(first, last + 1)]
        new = _edited(report, first, old, edits)
        same = 0
        while same < min(len(old), len(new)) and old[same] == new[same]:
            same += 1
        del old[:same], new[:same]
        while old and new and old[-1] == new[-1]:
            del old[-1], new[-1]
        if old or new:
            yield _Change(first + same, old, new)


def _edited(report: FileReport, first: int, old: list[str], edits: list[Edit]) -> list[str]:
    """Return lines with edits made that stand within them."""
    starts = [0]
    for line in old:
        starts.append(starts[-1] + len(line) + 1)

    def offset(at: int) -> int:
        number, column = report.place(at)
        # What lies between the characters of a line's end is behind the line.
        return starts[number - first] + min(column - 1, len(old[number - first]))

    text = "\n".join(old)
    for edit in reversed(edits):
        new = _LINE_END.sub("\n", edit.replacement)
        text = text[: offset(edit.start)] + new + text[offset(edit.end) :]
    return text.split("\n")


def _difference(change: _Change) -> int:
    """Return the column from which the first lines of a change differ."""
    if not change.old or not change.new:
        return 0
    at = 0
    for one, other in zip(change.old[0], change.new[0], strict=False):
        if one != other:
            break
        at += 1
    return at


def _cut(line: str, at: int) -> str:
    """Return what is shown of a line: all, or what stands around a column."""
    start = max(0, min(at - LONGEST // 4, len(line) - LONGEST))
    end = start + LONGEST
    return ("…" if start else "") + printable(line[start:end]) + ("…" if end < len(line) else "")


def _lines(text: str) -> list[str]:
    """Return the lines of a text with their line feeds."""
    lines = [line + "\n" for line in text.split("\n")]
    lines[-1] = lines[-1][:-1]
    return lines if lines[-1] else lines[:-1]
