"""The level of the loss: where it began, where it is, and whether a training gets anywhere."""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass, field
from statistics import median
from typing import TYPE_CHECKING, Final

from trainlint.runtime.signals import Signal

if TYPE_CHECKING:
    from trainlint.runtime.signals import Step

FEW: Final = 9
"""Of how many losses the start and the level are the median: one batch proves nothing."""


@dataclass(slots=True)
class LossLevel:
    """Remembers the first losses, the last ones and the best level; nothing of what lies between."""

    _first: list[float] = field(default_factory=list)
    _last: deque[float] = field(default_factory=lambda: deque(maxlen=FEW))
    _best: float = math.inf
    lowest: float = math.inf
    """The lowest single loss; infinite while there is none."""

    def add(self, step: Step) -> None:
        """Take the loss of a step; one that is unknown or not finite is left out."""
        loss = step.run(Signal.LOSS)
        if loss is None or not math.isfinite(loss):
            return
        if len(self._first) < FEW:
            self._first.append(loss)
        self._last.append(loss)
        self.lowest = min(self.lowest, loss)
        self._best = min(self._best, self.now)

    @property
    def start(self) -> float:
        """The median of the first losses; NaN while there is none."""
        return median(self._first) if self._first else math.nan

    @property
    def now(self) -> float:
        """The median of the last losses; NaN while there is none."""
        return median(self._last) if self._last else math.nan

    @property
    def best(self) -> float:
        """The lowest that this median has been; infinite while there is none."""
        return self._best

    def has_fallen_to(self, share: float) -> bool:
        """Say whether the loss lies below a share of where it began; of positive losses only."""
        return self.start > 0 and self.now < share * self.start
