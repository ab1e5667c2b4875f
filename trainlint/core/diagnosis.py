"""One place, or one moment of a training, where a rule does not hold."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from trainlint.core.fix import Safety

if TYPE_CHECKING:
    from trainlint.core.fix import Fix


class Severity(StrEnum):
    """How bad a diagnosis is if it is true."""

    ERROR = "error"
    """The training cannot work as written."""
    WARNING = "warning"
    """The training will likely suffer."""
    ADVICE = "advice"
    """A known trick is not used; off unless selected."""


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell of a notebook, and where it stands in the program that the cells make together."""

    number: int
    """Counted from 1, with the cells that hold no code."""
    first: int
    """Its first line in the program."""
    last: int
    """Its last line in the program."""
    start: int
    """The offset in the program at which it starts."""


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """A stretch of a source file: lines and columns count characters from 1, the end is exclusive.

    In a notebook the lines are those of the program that its cells make together; ``place`` and
    ``shown`` are what a person is told.
    """

    line: int
    column: int
    end_line: int
    end_column: int
    cell: Cell | None = field(default=None, compare=False)
    """The cell of a notebook in which it lies: wholly, for a span never runs over its border."""

    @property
    def place(self) -> str:
        """Where it starts, as it is written behind the path: `12:5`, or `cell 3:12:5`."""
        if self.cell is None:
            return f"{self.line}:{self.column}"
        return f"cell {self.cell.number}:{self.line - self.cell.first + 1}:{self.column}"

    @property
    def in_file(self) -> Span:
        """The same for tools that know nothing of cells: the start of the file, if it lies in one."""
        return self if self.cell is None else Span(1, 1, 1, 1)

    @property
    def prefix(self) -> str:
        """What tells such tools where it is: `cell 3:12:5: `, or nothing where they know."""
        return "" if self.cell is None else f"{self.place}: "

    @property
    def shown(self) -> Span:
        """The same with the lines as they are shown: those of its cell, if it lies in one."""
        if self.cell is None:
            return self
        before = self.cell.first - 1
        return Span(self.line - before, self.column, self.end_line - before, self.end_column)


@dataclass(frozen=True, slots=True)
class Related:
    """A second place that explains a diagnosis, and what it is to it."""

    span: Span
    label: str
    path: str = ""
    """The file, where it is another than that of the diagnosis."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """A number that a diagnosis of a training rests on, and the bound that it breaks."""

    what: str
    """What was measured, in a few words: `dead units`."""
    value: float
    bound: float | None = None
    """The threshold of the rule, where it has one for this number."""
    signal: str = ""
    """The signal that it is a value of, where it is one."""

    @property
    def is_over(self) -> bool:
        """Say whether the value lies above its bound."""
        return self.bound is not None and self.value > self.bound


@dataclass(frozen=True, slots=True)
class Moment:
    """When and where in a training a rule does not hold."""

    step: int
    """The optimizer step, counted from 1; 0 is the state before the first."""
    layer: str = ""
    """The path of the layer or the name of the parameter; nothing where the whole run is meant."""
    what: str = ""
    """What that is, as a person would say it: `Linear 256→256`."""
    evidence: tuple[Evidence, ...] = ()
    rank: int | None = None
    """The process, where ranks of a distributed run differ."""


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """What is wrong (``message``), where, and what a person should do about it (``remedy``)."""

    rule: str
    code: str
    severity: Severity
    path: str
    span: Span
    message: str
    remedy: str
    label: str = ""
    """What the marked code is to the diagnosis, in a few words; shown beside the underline."""
    related: tuple[Related, ...] = ()
    fix: Fix | None = None
    moment: Moment | None = None
    """When and in which layer it was seen, where a training was watched."""

    @property
    def position(self) -> tuple[str, int, int, str]:
        """The key by which diagnoses are shown in order."""
        return (self.path, self.span.line, self.span.column, self.code)

    def is_mended(self, *, unsafe: bool) -> bool:
        """Say whether it has a fix that is made: a safe one, or any where unsafe ones are wanted."""
        return self.fix is not None and (unsafe or self.fix.safety is Safety.SAFE)
