"""An update changes the weights by far too much, or by next to nothing."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from statistics import median
from typing import TYPE_CHECKING, ClassVar

from trainlint.core.diagnosis import Evidence, Severity
from trainlint.core.rule import Rule
from trainlint.runtime.judging.levels import LossLevel
from trainlint.runtime.judging.remedies import rate_over
from trainlint.runtime.judging.streaks import Streaks
from trainlint.runtime.judging.updates import Rate, Sufferers, Worst
from trainlint.runtime.signals import Role, Signal

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trainlint.core.diagnosis import Diagnosis
    from trainlint.runtime.signals import Parameter, Step

rule = Rule(
    __name__,
    "TL450",
    Severity.WARNING,
    explained_by=(
        "diverging-loss",
        "vanishing-gradient",
        "exploding-gradient",
        "no-gradient",
        "dead-relu",
        "unchanged-weights",
        "half-precision-stagnation",
        "decayed-effective-rate",
        "clip-always-active",
    ),
)

HEALTHY = 1e-3
"""About what the ratio is where training goes well (Karpathy)."""
ODD = 30.0
"""By how much a single layer differs from the median of all when the rate is not to blame."""
FALLING, RISING = 0.95, 1.5
"""A loss outside of these shares of what it was when the streak began works, or diverges."""


@rule.detector
@dataclass
class Detector:
    """Compares the median ratio over all weights, and single ones that are unlike it."""

    needs: ClassVar[tuple[str, ...]] = (Signal.UPDATE_RATIO,)
    large: float = 0.1
    small: float = 1e-6
    patience: int = 20  # measured steps
    loss: LossLevel = field(default_factory=LossLevel, init=False)
    rate: Rate = field(default_factory=Rate, init=False)
    high: Streaks = field(init=False)
    low: Streaks = field(init=False)
    odd: Sufferers = field(init=False)
    began: float = field(default=math.nan, init=False)

    def __post_init__(self) -> None:
        """Set the patience."""
        self.high, self.low = Streaks(self.patience), Streaks(self.patience)
        self.odd = Sufferers(self.patience)

    def observe(self, step: Step) -> Iterator[Diagnosis]:
        """Say that updates are too large or too small, for all weights or for one."""
        self.loss.add(step)
        if not self.rate.is_settled(step):
            return
        seen = [
            (parameter, ratio)
            for parameter, ratio in step.trained(Signal.UPDATE_RATIO)
            if parameter.role is Role.WEIGHT and not parameter.is_sparse and 0 < ratio < math.inf
        ]
        if not seen:
            return
        middle = median(ratio for _, ratio in seen)
        if not (self.high.length() or self.low.length()):
            self.began = self.loss.now
        works = (
            self.loss.now < FALLING * self.began
            or self.loss.now > RISING * self.began  # that is for `diverging-loss`
            or self.loss.has_fallen_to(0.1)
        )
        for streaks, is_bad, bound in (
            (self.high, middle > self.large, self.large),
            (self.low, middle < self.small, self.small),
        ):
            if streaks.seen("", is_bad=is_bad and not works):
                yield self._of_all(step, middle, bound)
        worst = self.odd.worst(
            (parameter, ratio, ratio > max(self.large, ODD * middle) and not works)
            for parameter, ratio in seen
        )
        if worst is not None:
            yield self._of_one(step, worst, middle)

    def _of_all(self, step: Step, middle: float, bound: float) -> Diagnosis:
        """Say that the learning rate is wrong by what the ratio is wrong."""
        what = "over" if middle > bound else "under"
        ways = f"try {rate_over(step, middle / HEALTHY)}, for a ratio of about 1e-3"
        if middle < bound:
            ways += (
                "; look also for a clip or a penalty that leaves next to nothing of the gradient"
            )
        return rule.seen(
            step.number,
            step.facts.run,
            f"the updates of the weights are {middle:.2g} of their size, {what} {bound:g} for"
            f" {self.patience} measured steps in a row, and the loss does not fall",
            remedy=ways,
            evidence=(Evidence("update over weight", middle, bound, Signal.UPDATE_RATIO),),
        )

    def _of_one(self, step: Step, worst: Worst, middle: float) -> Diagnosis:
        """Say that a single parameter is changed too much."""
        parameter: Parameter = worst.parameter
        return rule.seen(
            step.number,
            parameter,
            f"the updates of {worst.shown} are {worst.value:.2g} of its size, over {self.large:g} for"
            f" {self.patience} measured steps in a row, where those of the median weight are {middle:.2g}",
            remedy=f"give `{parameter.layer}` a larger initialisation, or a parameter group with a learning"
            f" rate of {parameter.learning_rate * HEALTHY / worst.value:.2g}",
            evidence=(
                Evidence("update over weight", worst.value, self.large, Signal.UPDATE_RATIO),
            ),
        )
