"""What rules about updates share: whether the learning rate is settled, and which parameter is worst."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from statistics import median
from typing import TYPE_CHECKING, Final, NamedTuple

from trainlint.runtime.judging.streaks import Streaks
from trainlint.runtime.signals import Role, Signal

if TYPE_CHECKING:
    from collections.abc import Iterable

    from trainlint.runtime.signals import Parameter, Step

ENDED: Final = 0.01
"""Under this share of its highest the learning rate is at the end of its schedule."""

MOVED: Final = 0.05
"""A first step that changes the weights by more than this share of them may have made what is seen next."""


@dataclass(slots=True)
class Rate:
    """Follows the learning rate, to tell its warm-up and the end of its schedule from training."""

    highest: float = 0.0
    last: float = 0.0

    def is_settled(self, step: Step) -> bool:
        """Note the rate of a step; say whether it neither rises nor has come to its end."""
        rate = step.run(Signal.LEARNING_RATE)
        if rate is None:
            return True
        is_rising = 0 < self.last < rate / 1.001
        self.last, self.highest = rate, max(rate, self.highest)
        return not is_rising and rate >= ENDED * self.highest


def has_moved(step: Step) -> bool:
    """Say whether the weights may be far from their initialisation in the first step that is seen whole.

    A program that is joined as it first steps is seen whole from its second step on. The step before
    is taken to have been as large as this one.
    """
    ratios = [
        ratio
        for parameter, ratio in step.trained(Signal.UPDATE_RATIO)
        if parameter.role is Role.WEIGHT and math.isfinite(ratio)
    ]
    return step.number > 1 and bool(ratios) and median(ratios) > MOVED


class Worst(NamedTuple):
    """The parameter that is worst off, and how many others are badly off as well."""

    parameter: Parameter
    value: float
    others: int

    @property
    def shown(self) -> str:
        """The parameter, what it is, the line where its layer is made, and how many others."""
        one = self.parameter
        place = f", {one.path.rpartition('/')[2]}:{one.line}" if one.line else ""
        others = (
            f" and {self.others} other parameter{'s' * (self.others > 1)}" if self.others else ""
        )
        return f"`{one.name}` ({one.what}{place}){others}"


@dataclass(slots=True)
class Sufferers:
    """Counts how long parameters have been badly off; names the worst once, until all are well."""

    patience: int
    streaks: Streaks = field(init=False)
    has_spoken: bool = False

    def __post_init__(self) -> None:
        self.streaks = Streaks(self.patience)

    def worst(self, seen: Iterable[tuple[Parameter, float, bool]]) -> Worst | None:
        """Take a step's values, each with whether it is bad; the largest is the worst."""
        ready = []
        for parameter, value, is_bad in seen:
            self.streaks.seen(parameter.name, is_bad=is_bad)
            if is_bad and self.streaks.length(parameter.name) >= self.patience:
                ready.append((parameter, value))
        if not self.streaks.running:
            self.has_spoken = False
        if not ready or self.has_spoken:
            return None
        self.has_spoken = True
        parameter, value = max(ready, key=lambda pair: pair[1])
        return Worst(parameter, value, len(ready) - 1)
