"""A noisy curve, such as the loss: its level, its noise and its trend, in bounded memory.

Single losses jump with the batch; what rules compare is the median of a few of them in a row, and
whether two such levels differ is asked of the noise between neighbours, never of a single value.
"""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass, field
from itertools import pairwise
from statistics import fmean, median
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

BLOCK: Final = 10
"""How many values make one level."""
KEPT: Final = 64
"""How many blocks are kept before neighbours are joined."""
HEAD: Final = 20
"""How many of the first blocks are kept for good."""
_TO_DEVIATION: Final = 1.4826
"""By which the median absolute deviation is multiplied to estimate a standard deviation."""
_OF_MEDIAN: Final = 1.2533
"""By how much the standard error of a median is larger than that of a mean."""


@dataclass(frozen=True, slots=True)
class Block:
    """A few values in a row: the steps from ``first`` to ``last``, and their median."""

    first: int
    last: int
    level: float


@dataclass(frozen=True, slots=True)
class Estimate:
    """A level and the standard error with which it is known."""

    level: float
    error: float


@dataclass(slots=True)
class Curve:
    """The values of a run-long series. A value that is not finite is left out."""

    size: int = BLOCK
    head: list[float] = field(default_factory=list)
    """The first values, as many as make one block."""
    first_blocks: list[Block] = field(default_factory=list)
    """The blocks of the beginning, at most `HEAD`."""
    recent: deque[Block] = field(default_factory=lambda: deque(maxlen=HEAD))
    """The last blocks, at most `HEAD`."""
    blocks: list[Block] = field(default_factory=list)
    """All blocks since the last `restart`; when they are too many, two neighbours become one."""
    best: Block | None = None
    """The lowest mean of five blocks in a row."""
    count: int = 0
    _open: list[float] = field(default_factory=list)
    _first: int = 0
    _joined: int = 1
    _partial: list[Block] = field(default_factory=list)

    def add(self, step: int, value: float) -> bool:
        """Take the next value; True when a block is complete and questions have new answers."""
        if not math.isfinite(value):
            return False
        self.count += 1
        if len(self.head) < self.size:
            self.head.append(value)
        if not self._open:
            self._first = step
        self._open.append(value)
        if len(self._open) < self.size:
            return False
        self._close(Block(self._first, step, median(self._open)))
        self._open.clear()
        return True

    def _close(self, block: Block) -> None:
        """Keep a complete block."""
        if len(self.first_blocks) < HEAD:
            self.first_blocks.append(block)
        self.recent.append(block)
        if len(self.recent) >= 5:  # noqa: PLR2004 - one block alone is low by luck
            last = list(self.recent)[-5:]
            level = fmean(one.level for one in last)
            if self.best is None or level < self.best.level:
                self.best = Block(last[0].first, last[-1].last, level)
        self._partial.append(block)
        if len(self._partial) == self._joined:
            self.blocks.append(_join(self._partial))
            self._partial.clear()
        if len(self.blocks) == KEPT:
            self.blocks = [_join(self.blocks[at : at + 2]) for at in range(0, KEPT, 2)]
            self._joined *= 2

    def restart(self) -> None:
        """Begin the trend anew; the head and the best stay."""
        self.blocks.clear()
        self._partial.clear()
        self._joined = 1

    @property
    def start(self) -> float | None:
        """The median of the first values; None while there are too few."""
        return median(self.head) if len(self.head) == self.size else None

    @property
    def level(self) -> float | None:
        """The mean of the last two blocks, which is the level of now; None before the second."""
        if len(self.recent) < 2:  # noqa: PLR2004 - a level takes two
            return None
        return (self.recent[-1].level + self.recent[-2].level) / 2

    @property
    def noise(self) -> float:
        """The standard deviation of a single block about the trend, from the last ones."""
        return deviation([one.level for one in self.recent])

    @property
    def is_at_floor(self) -> bool:
        """Say whether next to nothing of the first loss is left, so that there is little to learn."""
        start, level = self.start, self.level
        return start is not None and level is not None and 0 <= level < start / 10

    def exceeds_first(self, level: Estimate) -> bool:
        """Say whether the beginning was surely higher than a level, over any of its first values."""
        single = self.noise * math.sqrt(self.size) / _OF_MEDIAN
        parts = [(fmean(self.head[:count]), single / math.sqrt(count)) for count in (1, 3)]
        levels = [one.level for one in self.first_blocks]
        parts += [
            (fmean(levels[:count]), self.noise / math.sqrt(count))
            for count in (1, 3, 10)
            if len(levels) > count
        ]
        least = 0.01 * abs(level.level)
        return any(
            mean - level.level > least + 3 * math.hypot(error, level.error) for mean, error in parts
        )


def _join(blocks: Sequence[Block]) -> Block:
    """Return the block that several in a row make."""
    return Block(blocks[0].first, blocks[-1].last, fmean(one.level for one in blocks))


def deviation(values: Iterable[float]) -> float:
    """Return the standard deviation of values about their trend, from differences of neighbours."""
    steps = [abs(after - before) for before, after in pairwise(values)]
    return median(steps) * _TO_DEVIATION / math.sqrt(2) if steps else 0.0


def estimate(blocks: Sequence[Block]) -> Estimate:
    """Return the level of blocks in a row with its standard error."""
    levels = [one.level for one in blocks]
    steps = [(after - before) ** 2 for before, after in pairwise(levels)]
    variance = fmean(steps) / 2 if steps else math.inf
    return Estimate(fmean(levels), math.sqrt(variance / len(levels)))
