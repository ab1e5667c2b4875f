"""One place where a rule does not hold."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

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


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """A stretch of a source file: lines and columns count characters from 1, the end is exclusive."""

    line: int
    column: int
    end_line: int
    end_column: int


@dataclass(frozen=True, slots=True)
class Related:
    """A second place that explains a diagnosis, and what it is to it."""

    span: Span
    label: str
    path: str = ""
    """The file, where it is another than that of the diagnosis."""


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

    @property
    def position(self) -> tuple[str, int, int, str]:
        """The key by which diagnoses are shown in order."""
        return (self.path, self.span.line, self.span.column, self.code)
