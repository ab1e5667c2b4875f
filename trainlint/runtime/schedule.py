"""Which steps are measured: densely at the start and after an anomaly, then as the budget allows."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

DENSE: Final = 10
"""So many steps are measured at the start, and after an anomaly, one after the other."""
GRACE: Final = 0.3
"""Seconds of its own that the monitor may use besides its share, so that short trainings are seen too."""
STEADY: Final = 0.5
"""The part of the budget that is spent steadily until the rest has made up for the grace."""
FULL: Final = 0.9
"""The part that is spent from then on."""
UNSEEN: Final = 1.15
"""What a measured step costs over the time that the monitor sees itself use: the way into each hook and
function, and caches that are cold afterwards."""
GROWTH: Final = 10
"""While the grace lasts the interval is a tenth of the steps so far."""
LIGHT: Final = 0.4
"""The part of the budget that the loss of steps that are not measured may cost."""
LIGHT_GRACE: Final = 0.1
"""Seconds that it may cost besides."""


@dataclass
class Schedule:
    """Names the next measured step whenever one is over.

    With ``every`` it is every so manieth step; else ``budget`` is the share of the time that
    the monitor may use.
    """

    budget: float = 0.01
    every: int | None = None
    following: int = 1
    """The number of the next step that is measured."""
    is_agreed: bool = False
    """Whether it is agreed on with other ranks, which must measure the same steps."""
    _dense_until: int = DENSE
    _cost: float = 0.0

    def is_measured(self, step: int) -> bool:
        """Say whether a step is measured."""
        return step >= self.following

    def is_noted(self, spent: float, total: float) -> bool:
        """Say whether the loss of a step that is not measured is looked at.

        That is so unless steps are shorter than some milliseconds: ``spent`` are the seconds that it has
        cost so far.
        """
        return self.every is not None or spent < LIGHT_GRACE + LIGHT * self.budget * total

    def measured(self, step: int, cost: float, own: float, total: float) -> None:
        """Choose the next measured step, after one that cost so many seconds.

        ``own`` are the seconds that the monitor has used so far, ``total`` those since it began.
        """
        self.following = step + self.interval(step, cost, own, total)

    def interval(self, step: int, cost: float, own: float, total: float) -> int:
        """Return how many steps later the next one is measured."""
        if self.every is not None:
            return self.every - step % self.every
        cost, own = UNSEEN * cost, UNSEEN * own
        self._cost = cost if self._cost == 0 else 0.7 * self._cost + 0.3 * cost
        per_step = max((total - own) / max(step, 1), 1e-9)
        allowed, rate = max(
            (GRACE + STEADY * self.budget * total, STEADY * self.budget),
            (FULL * self.budget * total, FULL * self.budget),
        )
        steady = math.ceil(self._cost / (rate * per_step))
        left = allowed - own
        interval = steady
        if step < DENSE:  # most of what goes wrong shows here, whatever looking at it costs
            interval = 1
        elif left > self._cost:
            interval = 1 if step < self._dense_until else min(steady, max(1, step // GROWTH))
        elif left < 0:
            interval = max(steady, math.ceil(-left / (rate * per_step)))
        return max(1, interval)

    def alarm(self, step: int) -> None:
        """Measure the next steps, for something has happened.

        Where ranks have agreed on the next measured step, they do so from that one on.
        """
        self._dense_until = max(self._dense_until, step + DENSE // 2)
        if self.every is None and not self.is_agreed:
            self.following = min(self.following, step + 1)
