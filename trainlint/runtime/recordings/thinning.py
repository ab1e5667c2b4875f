"""What a recording gives up when it is full: steps that lie close to others, the least telling first."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from operator import sub
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import sqlite3
    from array import array
    from collections.abc import Callable, Iterable

FIRST: Final = 10
"""So many steps from the first on are always kept."""
LOOKED_AT: Final = 16
"""For each step that may be given up at once so many are looked at."""

_WORTH_IT: Final = 8
"""A walk that gives up less than one step in so many is the last with its gap."""

Vectors = dict[tuple[str, int], "array[float]"]
"""Numbers by their signal, and by what they are of."""


@dataclass
class Extremes:
    """The smallest and the largest value of every signal, and the steps that have them."""

    lowest: dict[str, tuple[float, int]] = field(default_factory=dict)
    highest: dict[str, tuple[float, int]] = field(default_factory=dict)

    def see(self, signal: str, values: Iterable[float], step: int) -> None:
        """Take the values of a signal in a step into account."""
        low, high = min(values, default=math.nan), max(values, default=math.nan)
        if not (math.isfinite(low) and math.isfinite(high)):
            finite = [one for one in values if math.isfinite(one)]
            if not finite:
                return
            low, high = min(finite), max(finite)
        known = self.lowest.get(signal)
        if known is None or low < known[0]:
            self.lowest[signal] = (low, step)
        known = self.highest.get(signal)
        if known is None or high > known[0]:
            self.highest[signal] = (high, step)

    def see_one(self, signal: str, value: float, step: int) -> None:
        """Take the value of a signal of the run into account."""
        known = self.lowest.get(signal)
        if known is None:
            if math.isfinite(value):
                self.lowest[signal] = self.highest[signal] = (value, step)
        elif value < known[0]:
            if value != -math.inf:
                self.lowest[signal] = (value, step)
        elif value > self.highest[signal][0] and value != math.inf:
            self.highest[signal] = (value, step)

    def range_of(self, signal: str) -> float:
        """Return how far the values of a signal lie apart."""
        low, high = self.lowest.get(signal), self.highest.get(signal)
        return high[0] - low[0] if low is not None and high is not None else 0.0

    @property
    def steps(self) -> set[int]:
        """The steps that have an extreme."""
        return {step for one in (self.lowest, self.highest) for _, step in one.values()}


@dataclass
class Sweep:
    """Walks through the older three quarters of the kept steps of one sort, and thins them evenly.

    Of two that lie closer than ``gap`` the one that stands out less is given up. When a walk gives
    hardly anything up, the gap is doubled.
    """

    connection: sqlite3.Connection
    measured: bool
    vectors: Callable[[int], Vectors]
    """The numbers of a step."""
    extremes: Extremes
    gap: int = 2
    keeps_extremes: bool = True
    is_exhausted: bool = False
    """Whether nothing more could be given up the last time."""
    _at: int = 0
    _end: int = 0
    _freed: int = 0
    _passed: int = 0

    def run(
        self, kept: set[int], drop: Callable[[int], None], is_enough: Callable[[], bool], most: int
    ) -> None:
        """Give steps up until it is enough, a number of them at most; those in ``kept`` are not."""
        self.is_exhausted = False
        if self.keeps_extremes:
            kept = kept | self.extremes.steps
        freed = looked = 0
        previous: int | None = None
        while freed < most and looked < most * LOOKED_AT and not is_enough():
            if self._at >= self._end:
                if not self._start():
                    return
                previous = None
            for step in self._next():
                looked += 1
                self._passed += 1
                self._at = step
                if previous is None or step - previous >= self.gap:
                    previous = step
                    continue
                given_up = self._less_telling(previous, step, kept)
                if given_up is None:
                    previous = step
                    continue
                drop(given_up)
                previous = None  # of two one stays, so that no walk leaves a hole
                freed += 1
                self._freed += 1
                if freed >= most or is_enough():
                    return

    def _start(self) -> bool:
        """Begin a walk; False where nothing can be given up any more."""
        if self._end and self._freed * _WORTH_IT <= self._passed:
            self.gap *= 2
        self._at = self._freed = self._passed = 0
        where = f"measured = {int(self.measured)}"
        count = f"SELECT count(*), max(id), min(id) FROM steps WHERE {where}"  # noqa: S608
        number, last, first = self.connection.execute(count).fetchone()
        newest = f"SELECT id FROM steps WHERE {where} ORDER BY id DESC LIMIT 1 OFFSET ?"  # noqa: S608
        row = self.connection.execute(newest, (number // 4,)).fetchone()
        self._end = 0 if row is None else row[0]
        if number and self.gap > 2 * (last - first + 1):
            # Rather the extremes than the limit.
            self.is_exhausted = not self.keeps_extremes
            self.keeps_extremes = False
            self.gap = 2
        self.is_exhausted |= number < 4  # noqa: PLR2004 - no older three quarters
        return not self.is_exhausted

    def _next(self) -> list[int]:
        """Return the next steps of the walk."""
        rows = self.connection.execute(
            f"SELECT id FROM steps WHERE measured = {int(self.measured)}"  # noqa: S608 - a number
            " AND id > ? AND id <= ? ORDER BY id LIMIT 64",
            (self._at, self._end),
        ).fetchall()
        if not rows:
            self._at = self._end
        return [one for (one,) in rows]

    def _less_telling(self, first: int, second: int, kept: set[int]) -> int | None:
        """Return which of two steps is given up, None where both must stay."""
        free = [one for one in (first, second) if one not in kept and one > FIRST]
        if len(free) < 2:  # noqa: PLR2004 - one of the two, or none
            return free[0] if free else None
        one, other = self.vectors(first), self.vectors(second)
        heights = [0.0, 0.0]
        for key in one.keys() & other.keys():
            scale = self.extremes.range_of(key[0])
            if not scale > 0:
                continue
            here, there = one[key], other[key]
            for number, (high, low) in enumerate(((here, there), (there, here))):
                rise = max(map(sub, high, low), default=0.0) / scale
                heights[number] = max(heights[number], rise)  # what is NaN is no rise
        return second if heights[0] > heights[1] else first
