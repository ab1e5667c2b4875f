"""Long series in little room: of the values that share a column, the lowest and the highest stay."""

from __future__ import annotations

import math
import sys
from array import array
from bisect import bisect_right
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

ABSENT: Final = 0
ZERO: Final = 1
BROKEN: Final = 2
"""A value that is not finite."""
_NONE: Final = -1.0
"""What stands in a cell of a grid until something is known."""
_FIRST: Final = 16
_LOWEST: Final = -46.0
"""The decimal logarithm of the least float32 there is lies above."""
_DECADE: Final = 760
"""Codes of a decade: a value is known to 0.15 %."""
_MOST: Final = 65535


def code(size: float) -> int:
    """Return a number of two bytes for a size: its logarithm, or what it is instead of a size."""
    if size == _NONE:
        return ABSENT
    if not math.isfinite(size):
        return BROKEN
    if size == 0:
        return ZERO
    return max(_FIRST, min(_MOST, _FIRST + round((math.log10(size) - _LOWEST) * _DECADE)))


class Curve:
    """The points of a line, at most twice as many as there are columns, with every extreme.

    Columns are as wide as they must be: when there are too many, two neighbours become one.
    """

    __slots__ = ("columns", "points", "width")

    def __init__(self, columns: int) -> None:
        self.columns = columns
        self.width = 1
        self.points: dict[int, list[tuple[int, float]]] = {}

    def add(self, at: int, value: float) -> None:
        """Take the next value."""
        self._keep(at, value)
        while len(self.points) > self.columns:
            self.width *= 2
            known = [one for points in self.points.values() for one in points]
            self.points = {}
            for place, number in known:
                self._keep(place, number)

    def _keep(self, at: int, value: float) -> None:
        """Keep a value if it is an extreme of its column; one that is not finite beats all."""
        points = self.points.setdefault(at // self.width, [])
        points.append((at, value))
        if len(points) <= 2:  # noqa: PLR2004 - the lowest and the highest
            return
        broken = [one for one in points if not math.isfinite(one[1])]
        finite = [one for one in points if math.isfinite(one[1])]
        extremes = {*broken[:1]}
        if finite:
            extremes.add(max(finite, key=lambda one: one[1]))
            if not broken:
                extremes.add(min(finite, key=lambda one: one[1]))
        points[:] = sorted(extremes, key=lambda one: one[0])

    def as_json(self) -> dict[str, list[Any]]:
        """Return the points as JSON has them; what is not finite is a text."""
        points = sorted(one for column in self.points.values() for one in column)
        return {
            "x": [at for at, _ in points],
            "y": [value if math.isfinite(value) else str(value) for _, value in points],
        }


class Columns:
    """The columns of a heat map: measured steps, and so many neighbours in one that few enough are left.

    A column reaches half way to the next measured step, so that there are no gaps where few steps are
    measured, and those that are measured densely can be told apart.
    """

    def __init__(self, measured: Sequence[int], most: int) -> None:
        each = _steps_of_a_column(len(measured), max(1, most))
        self.firsts = list(measured[::each])
        self.lasts = [*measured[each - 1 :: each]]
        if len(self.lasts) < len(self.firsts):
            self.lasts.append(measured[-1])
        between = [
            (last + first) / 2 for last, first in zip(self.lasts, self.firsts[1:], strict=False)
        ]
        self.edges: list[float] = []
        if measured:
            left = self.firsts[1] - self.lasts[0] if between else 1
            right = self.firsts[-1] - self.lasts[-2] if between else 1
            begin = max(0.5, self.firsts[0] - left / 2)
            self.edges = [begin, *between, self.lasts[-1] + right / 2]

    def of(self, step: int) -> int:
        """Return the number of the column that has a measured step."""
        return max(0, bisect_right(self.firsts, step) - 1)

    def as_json(self) -> dict[str, Any]:
        """Return the columns as JSON has them."""
        return {"firsts": self.firsts, "lasts": self.lasts, "edges": self.edges}


def _steps_of_a_column(steps: int, most: int) -> int:
    """Return how many steps share a column: if it can be, so many that all columns have as many.

    Columns of one width are drawn at once instead of cell by cell.
    """
    least = max(1, -(-steps // most))
    even = (each for each in range(least, 2 * least) if steps % each == 0)
    return next(even, least)


class Grid:
    """The sizes of a signal by layer and column, as the cells of a heat map: the least and the largest."""

    def __init__(self, columns: int) -> None:
        self._empty = array("d", [_NONE]) * columns
        self._low: dict[str, array[float]] = {}
        self._high: dict[str, array[float]] = {}

    def __bool__(self) -> bool:
        """Say whether anything is known."""
        return bool(self._low)

    def add(self, column: int, values: Iterable[tuple[str, float]]) -> None:
        """Take the values of the layers in a step."""
        for name, value in values:
            size = abs(value)
            if size != size:  # noqa: PLR0124 - NaN; asked of every number of the recording
                size = math.inf
            low = self._low.get(name)
            if low is None:
                low = self._low[name] = self._empty[:]
                self._high[name] = self._empty[:]
            high = self._high[name]
            if high[column] < size:
                if high[column] < 0:
                    low[column] = size
                high[column] = size
            elif size < low[column]:
                low[column] = size

    def names(self, order: Iterable[str]) -> list[str]:
        """Return the rows that are known, in an order."""
        return [one for one in order if one in self._low]

    def cells(self, order: Iterable[str]) -> bytes:
        """Return the least of every cell, row by row, then the largest: two bytes for each.

        First come the low bytes of all, then the high ones, which are much alike and so compress well.
        """
        names = self.names(order)
        codes = array("H")
        for rows in (self._low, self._high):
            for name in names:
                codes.extend(map(code, rows[name]))
        if sys.byteorder == "big":
            codes.byteswap()
        found = codes.tobytes()
        return found[::2] + found[1::2]
