r"""Where something stands in a document, as the editor counts: in the units that were agreed upon.

The protocol counts lines from 0 and ends them at `\n`, `\r\n` or `\r`, as Python does; a column
counts the units of an encoding, in which a character may take several.
"""

from __future__ import annotations

from bisect import bisect_right
from typing import TYPE_CHECKING

from lsprotocol.types import Position, PositionEncodingKind, Range

if TYPE_CHECKING:
    from collections.abc import Mapping

    from trainlint.core.diagnosis import Span
    from trainlint.static.source import SourceFile

_BYTES_PER_UNIT = {
    PositionEncodingKind.Utf8: ("utf-8", 1),
    PositionEncodingKind.Utf16: ("utf-16-le", 2),
    PositionEncodingKind.Utf32: ("utf-32-le", 4),
}


def units(text: str, encoding: str) -> int:
    """Count the units that a text takes in an encoding of the protocol."""
    if text.isascii() or encoding == PositionEncodingKind.Utf32:
        return len(text)
    codec, width = _BYTES_PER_UNIT[PositionEncodingKind(encoding)]
    return len(text.encode(codec, "surrogatepass")) // width


def characters(text: str, number: int, encoding: str) -> int:
    """Count the characters of a text that take so many units of an encoding of the protocol."""
    if text.isascii() or encoding == PositionEncodingKind.Utf32:
        return min(number, len(text))
    codec, width = _BYTES_PER_UNIT[PositionEncodingKind(encoding)]
    return len(text.encode(codec, "surrogatepass")[: number * width].decode(codec, "ignore"))


class Positions:
    """Turns lines and columns, or offsets, of a source file into positions in its document.

    What stands in a cell of a notebook gets its position in the document of the cell. ``lines`` are
    the texts of the lines by their numbers, as many as are asked for. A byte order mark is no part of
    the text of a source file, but may be a character of the document.
    """

    def __init__(self, lines: Mapping[int, str], encoding: str, *, mark: bool = False) -> None:
        self._lines = lines
        self._encoding = encoding
        self._mark = mark

    def position(self, line: int, column: int, first: int = 1) -> Position:
        """Return the position of a line and a column, both counted from 1, in what begins at a line."""
        character = units(self._lines.get(line, "")[: column - 1], self._encoding)
        if self._mark and line == 1:
            character += units("\ufeff", self._encoding)
        return Position(line - first, character)

    def range(self, span: Span) -> Range:
        """Return the range of a stretch."""
        first = 1 if span.cell is None else span.cell.first
        return Range(
            self.position(span.line, span.column, first),
            self.position(span.end_line, span.end_column, first),
        )

    def range_of_offsets(self, source: SourceFile, start: int, end: int) -> Range:
        """Return the range between two offsets into the text of the source file, within a cell of it."""
        cell = source.cell_at(start)
        found = []
        for offset in (start, end):
            line = bisect_right(source.line_starts, offset)
            column = offset - source.line_starts[line - 1] + 1
            found.append(self.position(line, column, 1 if cell is None else cell.first))
        return Range(*found)

    def whole_line(self, line: int, first: int = 1) -> Range:
        """Return the range of what stands on a line, in what begins at a line."""
        text = self._lines.get(line, "")
        indentation = len(text) - len(text.lstrip())
        return Range(
            self.position(line, indentation + 1, first),
            self.position(line, len(text.rstrip()) + 1, first),
        )
