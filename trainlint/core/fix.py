"""Edits that mend a diagnosis, and how to apply them to a text."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from itertools import combinations
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


class Safety(StrEnum):
    """Whether a fix keeps the meaning of the program."""

    SAFE = "safe"
    """The training does the same after the edit."""
    UNSAFE = "unsafe"
    """The edit is mechanical, but changes the training or its checkpoints."""


@dataclass(frozen=True, slots=True)
class Edit:
    """Replace the characters ``start`` to ``end`` (offsets into the text, end exclusive)."""

    start: int
    end: int
    replacement: str
    path: str = ""
    """The file, where that need not be the one of the diagnosis."""


@dataclass(frozen=True, slots=True)
class Fix:
    """Edits that belong together: all of them are made, or none."""

    title: str
    safety: Safety
    edits: tuple[Edit, ...]


def apply_fixes(text: str, fixes: Iterable[Fix]) -> tuple[str, list[Fix]]:
    """Return the text with the fixes made, and those fixes that were refused.

    Fixes are taken in the order of their first edit. One that overlaps an edit already taken, or
    itself, is refused as a whole; an edit that another fix makes too, to the letter, is shared, not
    repeated.
    """
    taken: set[Edit] = set()
    refused: list[Fix] = []
    for fix in sorted(fixes, key=lambda fix: min((edit.start for edit in fix.edits), default=0)):
        new = [edit for edit in dict.fromkeys(fix.edits) if edit not in taken]
        clashes = any(_overlap(edit, other) for edit in new for other in taken)
        if clashes or any(_overlap(one, other) for one, other in combinations(new, 2)):
            refused.append(fix)
        else:
            taken.update(new)
    for edit in sorted(taken, key=lambda edit: (edit.start, edit.end), reverse=True):
        text = text[: edit.start] + edit.replacement + text[edit.end :]
    return text, refused


def _overlap(one: Edit, other: Edit) -> bool:
    """Say whether two edits touch the same characters, or insert at the same place."""
    if one.start == other.start:
        return True
    return one.start < other.end and other.start < one.end
