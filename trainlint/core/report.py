"""What linting gives: the diagnoses of a file, and what could not be linted."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping

    from trainlint.core.diagnosis import Cell, Diagnosis, Span

CONTEXT: Final = 2
"""How many lines around a marked one a report keeps and a code frame shows, as in ruff."""


class Failure(NamedTuple):
    """Something that could not be linted, and why."""

    path: str
    line: int | None
    reason: str
    cell: int | None = None
    """The number of the cell, where it is one of a notebook that could not be linted."""

    @property
    def line_in_file(self) -> int | None:
        """The line for tools that know nothing of cells."""
        return self.line if self.cell is None else 1

    @property
    def said(self) -> str:
        """The reason for such tools, with the place in the cell."""
        if self.cell is None:
            return self.reason
        return (
            f"cell {self.cell}:{self.line}: {self.reason}"
            if self.line
            else (f"cell {self.cell}: {self.reason}")
        )

    def __str__(self) -> str:
        """Return the line that the user reads."""
        place = self.path if self.cell is None else f"{self.path}:cell {self.cell}"
        place = place if self.line is None else f"{place}:{self.line}"
        return f"{place}: {self.reason}"


class Unresolved(Protocol):
    """An expression whose value the file's model could not follow."""

    @property
    def path(self) -> str:
        """The file, as the user named it."""

    @property
    def span(self) -> Span:
        """Where the expression stands."""

    @property
    def expression(self) -> str:
        """Its source text."""

    @property
    def reason(self) -> str:
        """Why it could not be followed."""


@dataclass(slots=True)
class FileReport:
    """What linting one file gave."""

    path: str
    diagnoses: list[Diagnosis] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)
    unresolved: list[Unresolved] = field(default_factory=list)
    lines: dict[int, str] = field(default_factory=dict)
    """The text of the lines in and around the diagnoses, by their numbers."""
    starts: dict[int, int] = field(default_factory=dict)
    """The offsets in the text at which those lines start; edits count in them."""
    others: dict[str, dict[int, str]] = field(default_factory=dict)
    """The same of the places in other files, by their paths."""

    cells: tuple[Cell, ...] = ()
    """The cells, where the file is a notebook."""

    def cell(self, offset: int) -> Cell | None:
        """Return the cell of a notebook in which an offset of an edit lies."""
        return next((one for one in reversed(self.cells) if one.start <= offset), None)

    def shown_lines(self, cell: Cell | None, path: str = "") -> Mapping[int, str]:
        """Return the lines that are at hand of a file or of a cell, by the numbers that are shown."""
        lines = self.others.get(path, {}) if path else self.lines
        if cell is None:
            return lines
        within = range(cell.first, cell.last + 1)
        return {number - cell.first + 1: lines[number] for number in within if number in lines}

    def place(self, offset: int) -> tuple[int, int]:
        """Return the line and the column, from 1, of an offset that an edit of a fix speaks of."""
        line = max(number for number, start in self.starts.items() if start <= offset)
        return line, offset - self.starts[line] + 1
