"""Long series in little room: of the values that share a column, the lowest and the highest stay."""

from __future__ import annotations

import math
from array import array
from base64 import b64encode
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

ABSENT: Final = 0
ZERO: Final = 1
BROKEN: Final = 2
"""A value that is not finite."""
_FIRST: Final = 16
_LOWEST: Final = -46.0
"""The decimal logarithm of the least float32 there is lies above."""
_DECADE: Final = 760
"""Codes of a decade: a value is known to 0.15 %."""
_MOST: Final = 65535


def code(value: float) -> int:
    """Return a number of two bytes for a size: its logarithm, or what it is instead of a size."""
    if not math.isfinite(value):
        return BROKEN
    size = abs(value)
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


class Grid:
    """The sizes of a signal by layer and step, as the cells of a heat map: the least and the largest."""

    def __init__(self, width: int, columns: int) -> None:
        self.width = width
        self.columns = columns
        self.low: dict[str, array[int]] = {}
        self.high: dict[str, array[int]] = {}

    def add(self, column: int, values: Iterable[tuple[str, float]]) -> None:
        """Take the values of the layers in a step."""
        for name, value in values:
            low = self.low.get(name)
            if low is None:
                low = self.low[name] = array("H", bytes(2 * self.columns))
                self.high[name] = array("H", bytes(2 * self.columns))
            high = self.high[name]
            new = code(value)
            before = high[column]
            if before == ABSENT:
                low[column] = high[column] = new
            elif BROKEN in (new, before):
                high[column] = BROKEN
            elif new > before:
                high[column] = new
            elif new < low[column]:
                low[column] = new

    def as_json(self, order: Iterable[str]) -> dict[str, Any]:
        """Return the rows that are known, in an order, as texts of base 64."""
        names = [one for one in order if one in self.low]
        return {
            "names": names,
            "low": [_text(self.low[one]) for one in names],
            "high": [_text(self.high[one]) for one in names],
        }


def _text(numbers: array[int]) -> str:
    """Return numbers as text, the low byte first."""
    return b64encode(b"".join(one.to_bytes(2, "little") for one in numbers)).decode("ascii")
