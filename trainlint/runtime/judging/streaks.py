"""Patience: for how many measured steps in a row something has held, and the moment to say so."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection


@dataclass(slots=True)
class Streaks:
    """Counts how long each name has been bad; ready once per streak, when patience is reached.

    A streak ends with one healthy step; what is not seen at all in a step neither grows nor ends.
    """

    patience: int
    _lengths: Counter[str] = field(default_factory=Counter)

    def bad(self, name: str = "") -> bool:
        """Count a bad step; True when this is the one at which to speak."""
        self._lengths[name] += 1
        return self._lengths[name] == self.patience

    def good(self, name: str = "") -> None:
        """End a streak."""
        self._lengths.pop(name, None)

    def seen(self, name: str, *, is_bad: bool) -> bool:
        """Count a step as bad or good; True when this is the one at which to speak."""
        if is_bad:
            return self.bad(name)
        self.good(name)
        return False

    def length(self, name: str = "") -> int:
        """Return for how many steps in a row a name has been bad."""
        return self._lengths[name]

    @property
    def running(self) -> Collection[str]:
        """The names whose streak has not ended."""
        return self._lengths.keys()
