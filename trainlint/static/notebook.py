"""A notebook: its code cells, in order, as one program, and the way back into the cells.

The program is the text of the cells as they are, with a line between two of them that nothing else
has, so that a text with edits falls apart into its cells again. What only IPython understands is
blanked in ``parsed``, the text that Python parses: it has the same lines, and in them everything
stands where it stands in the text.
"""

from __future__ import annotations

import ast
import re
from bisect import bisect_right
from functools import cached_property
from typing import TYPE_CHECKING, Final

from trainlint.core.diagnosis import Cell, Span
from trainlint.static.ipython import has_cell_magic, is_python, without_magics
from trainlint.static.notebook_json import Document, read_notebook, rewritten
from trainlint.static.source import MAX_BYTES, SourceError, SourceFile, parse, read_bytes

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_OPENER: Final = "if 1:\n"
"""Stands between two cells where the second is indented, which IPython allows."""

_INDENTED: Final = re.compile(r"(?:[ \t\r]*\n)*[ \t]+[^\s#]")
_LINE_END: Final = re.compile(r"\r\n|\r|\n")


class NotebookFile(SourceFile):
    """The program that the code cells of a notebook make, and the positions in it.

    A cell that is not Python is left out of what is parsed, and ``failures`` says why. Raises
    :class:`SourceError` where the bytes are no notebook.
    """

    def __init__(self, path: str, text: str, document: Document) -> None:
        self._document = document
        self.cells = tuple(_cells(text, document))
        self._first = [cell.first for cell in self.cells]
        super().__init__(path, text)

    @classmethod
    def read(cls, path: str) -> NotebookFile:
        """Read and parse the notebook at a path."""
        return cls.from_bytes(path, read_bytes(path))

    @classmethod
    def from_bytes(cls, path: str, data: bytes) -> NotebookFile:
        """Take the cells out of the bytes of a notebook, and parse them."""
        text, document = read_notebook(path, data)
        if len(text) > MAX_BYTES:
            raise SourceError(path, f"is over {MAX_BYTES // 1_000_000} MB and not linted")
        return cls(path, text, document)

    def with_text(self, text: str) -> NotebookFile:
        """Return the same notebook with another program; raise `SourceError` where that breaks a cell."""
        separator = self._document.separator
        if text.count(separator) != self.text.count(separator):
            reason = "an edit runs over the border of a cell"
            raise SourceError(self.path, reason)
        parts = text.split(separator)
        pairs = zip(self.text.split(separator), parts, strict=True)
        if any(has_cell_magic(old) and not has_cell_magic(new) for old, new in pairs):
            reason = "an edit stands before the magic of a cell"
            raise SourceError(self.path, reason)
        if self.cells:
            # With its last line a cell may have lost the line end that each has in the program.
            text = separator.join(part if part.endswith("\n") else part + "\n" for part in parts)
        after = NotebookFile(self.path, text, self._document)
        known = {one.cell for one in self.failures}
        for failure in after.failures:
            if failure.cell not in known:
                raise failure
        return after

    def encoded(self) -> bytes:
        """Return the bytes of the notebook: as they were but for the sources that have changed."""
        return rewritten(self._document, list(self._sources()))

    @property
    def weight(self) -> int:
        """How much memory it takes, in characters of source: the JSON is kept but not parsed."""
        return len(self.text) + len(self._document.data) // 60

    @property
    def pieces(self) -> Iterator[tuple[str, str]]:
        """The name and the text of every cell; as in ruff, a line end behind the last line is not told."""
        for cell, source in zip(self.cells, self._sources(), strict=True):
            text = source + "\n" * (source != "" and not source.endswith("\n"))
            yield f"{self.path}:cell {cell.number}", text

    @cached_property
    def lines(self) -> list[str]:
        """The lines without their ends; those between the cells are empty."""
        lines = _LINE_END.split(self.text)
        for cell in self.cells:
            lines[cell.last - 1] = ""
        return lines

    @cached_property
    def code_lines(self) -> list[str]:
        """The lines without their ends, and without what only IPython understands."""
        return _LINE_END.split(self.parsed)

    def may_replace(self, start: int, end: int) -> bool:
        """Say whether the text between two offsets lies in one cell."""
        lines = [bisect_right(self.line_starts, one) for one in (start, end)]
        first, last = (self._cell_of(line) for line in lines)
        border = first is not None and self.line_starts[first.last - 1]
        return first == last and (end <= border or end == start)

    @cached_property
    def displayed(self) -> frozenset[int]:
        """The lines on which the expressions start whose values are shown: the last ones of the cells."""
        last = {self._cell_of(one.lineno): one for one in self.tree.body}
        return frozenset(one.lineno for one in last.values() if isinstance(one, ast.Expr))

    def in_cell(self, span: Span) -> Span:
        """Return a stretch with the cell in which it starts; at the end of that it ends, at the latest."""
        cell = self._cell_of(span.line)
        if cell is None:
            return span
        end_line, end_column = span.end_line, span.end_column
        if end_line > cell.last:
            end_line, end_column = cell.last, len(self.lines[cell.last - 1]) + 1
        return Span(span.line, span.column, end_line, end_column, cell)

    @property
    def sources(self) -> Iterator[tuple[int, str]]:
        """The texts of the cells, with the offsets at which they start."""
        for cell, text in zip(self.cells, self._sources(), strict=True):
            yield cell.start, text

    def cell_at(self, offset: int) -> Cell | None:
        """Return the cell in which an offset lies."""
        return self._cell_of(bisect_right(self.line_starts, offset))

    def _cell_of(self, line: int) -> Cell | None:
        """Return the cell that holds a line of the program."""
        at = bisect_right(self._first, line) - 1
        return self.cells[at] if at >= 0 else None

    def _sources(self) -> Iterator[str]:
        """Yield the sources of the cells: without the line end that each has in the program."""
        if self.cells:
            for part in self.text.split(self._document.separator):
                yield part.removesuffix("\n")

    def _understood(self) -> ast.Module:
        """Parse the program; the cells that Python refuses are blanked and noted."""
        separator = self._document.separator
        if not self.cells:
            return parse(self.path, "")
        texts = self.text.split(separator)
        parts = [without_magics(text) for text in texts]
        self.parsed = _joined(parts, separator)
        try:
            tree = parse(self.path, self.parsed)
        except SourceError:
            pass
        else:
            if not self._crosses(tree):
                return tree
        failures = []
        for number, (cell, text, part) in enumerate(zip(self.cells, texts, parts, strict=True)):
            if text != part and is_python(text):
                parts[number] = text
                continue
            indented = number > 0 and _INDENTED.match(part) is not None
            try:
                parse(self.path, _OPENER * indented + part)
            except SourceError as error:
                failures.append(_of_cell(error, cell, indented=indented))
                parts[number] = "\n" * (cell.last - cell.first)
        self.failures = tuple(failures)
        self.parsed = _joined(parts, separator)
        return parse(self.path, self.parsed)

    def _crosses(self, tree: ast.Module) -> bool:
        """Say whether a statement runs over the border of a cell, as only broken cells make one."""
        for statement in tree.body:
            cell = self._cell_of(statement.lineno)
            assert statement.end_lineno is not None
            if cell is not None and statement.end_lineno > cell.last:
                # The statement may be the one that opens the next cell.
                follows = self._cell_of(cell.last + 1)
                opener = statement.lineno == cell.last and isinstance(statement, ast.If)
                if not opener or follows is None or statement.end_lineno > follows.last:
                    return True
        return False


def read_program(path: str) -> str:
    """Return the program of a notebook without parsing it; empty where there is none."""
    try:
        return read_notebook(path, read_bytes(path))[0]
    except SourceError:
        return ""


def _cells(text: str, document: Document) -> Iterator[Cell]:
    """Yield where the cells stand in a program, which may have edits."""
    if not document.cells:
        return
    line, start = 1, 0
    parts = text.split(document.separator)
    for cell, part in zip(document.cells, parts, strict=False):
        ends = len(_LINE_END.findall(part)) if "\r" in part else part.count("\n")
        yield Cell(cell.number, line, line + ends, start)
        line += ends + 1
        start += len(part) + len(document.separator)


def _of_cell(error: SourceError, cell: Cell, *, indented: bool) -> SourceError:
    """Return an error as one of a cell, with the line counted there."""
    line = error.line
    if line is not None:
        line = max(1, min(line - indented, cell.last - cell.first))
    return SourceError(error.path, error.reason, line, cell.number)


def _joined(parts: Sequence[str], separator: str) -> str:
    """Return the program that Python parses."""
    text = parts[0]
    for part in parts[1:]:
        text += (_OPENER if _INDENTED.match(part) else separator) + part
    return text
