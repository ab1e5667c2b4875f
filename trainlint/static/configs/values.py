"""The values of a configuration file, each with the place where it stands."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Final

MAX_DEPTH: Final = 64
"""What is nested deeper was written by no person."""

_NUMBER: Final = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?")


@dataclass(frozen=True, slots=True, eq=False)
class Scalar:
    """A text, a number, a truth or nothing; the place is that of the text without its quotes."""

    start: int
    end: int
    value: str | float | bool | None
    tag: str = ""
    """A tag of the file's own, such as ``!ref``: then the value is the text behind it."""


@dataclass(frozen=True, slots=True, eq=False)
class Sequence:
    """A list."""

    start: int
    end: int
    items: tuple[Value, ...]
    in_brackets: bool = True


@dataclass(frozen=True, slots=True, eq=False)
class Entry:
    """A key of a mapping and its value."""

    key: Scalar
    value: Value


@dataclass(frozen=True, slots=True, eq=False)
class Mapping:
    """Keys and values."""

    start: int
    end: int
    entries: dict[str, Entry] = field(default_factory=dict)
    tag: str = ""
    """A tag of the file's own, such as ``!new:torch.nn.Linear``."""

    def get(self, key: str) -> Value | None:
        """Return the value of a key."""
        entry = self.entries.get(key)
        return None if entry is None else entry.value

    def text(self, key: str) -> str | None:
        """Return the value of a key if it is a text."""
        value = self.get(key)
        return value.value if isinstance(value, Scalar) and isinstance(value.value, str) else None


Value = Scalar | Sequence | Mapping


@dataclass(frozen=True, slots=True)
class Comment:
    """A comment, and the offset of its `#`."""

    start: int
    text: str


@dataclass(frozen=True, slots=True)
class Text:
    """What a file holds: the values of its documents, and its comments."""

    documents: tuple[Value, ...]
    comments: tuple[Comment, ...] = ()


class CannotReadError(Exception):
    """A text cannot be read as a configuration: ``reason`` says why, ``line`` where."""

    def __init__(self, reason: str, line: int | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.line = line


def is_no(reason: str, language: str, line: int | None = None) -> CannotReadError:
    """Return the error of a text that is not what its name says."""
    return CannotReadError(f"is no {language}: {reason}", line)


def too_deep() -> CannotReadError:
    """Return the error of what is nested too deeply."""
    return CannotReadError(f"is nested over {MAX_DEPTH} deep and not linted")


def number(text: str) -> float | None:
    """Return the number that a text is, as people and most loaders read it: ``1e-3`` is one."""
    if not _NUMBER.fullmatch(text):
        return None
    return int(text) if text.lstrip("+-").isdigit() else float(text)
