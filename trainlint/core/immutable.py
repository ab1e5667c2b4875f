"""Values: frozen dataclasses that are made in a quarter of the time.

A linter is started for every commit, and of its start the making of dataclasses was a good part: each
compiles six methods.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from operator import attrgetter
from typing import TYPE_CHECKING, Any, TypeVar, dataclass_transform

if TYPE_CHECKING:
    from collections.abc import Callable

Kind = TypeVar("Kind")


@dataclass_transform(frozen_default=True)
def immutable(kind: type[Kind]) -> type[Kind]:
    """Make a class a dataclass of which nothing but ``__init__`` is compiled.

    Two are equal where they are of one class and their fields are equal. That no field is changed is
    for the type checker to see.
    """
    made: Any = dataclass(eq=False, repr=False)(kind)
    key = attrgetter(*(one.name for one in fields(made)))
    made.__eq__, made.__hash__, made.__repr__ = _equality(key), _hash(key), _shown
    return kind


def _equality(key: Callable[[Any], object]) -> Callable[[Any, object], bool]:
    """Return the method that compares what a key gives."""

    def equal(self: Any, other: object) -> bool:
        return key(self) == key(other) if other.__class__ is self.__class__ else NotImplemented

    return equal


def _hash(key: Callable[[Any], object]) -> Callable[[Any], int]:
    """Return the method that hashes what a key gives."""
    return lambda self: hash(key(self))


def _shown(self: Any) -> str:
    """Show a value as a dataclass shows itself."""
    shown = ", ".join(f"{one.name}={getattr(self, one.name)!r}" for one in fields(self))
    return f"{type(self).__qualname__}({shown})"
