"""The rate has decayed to next to nothing while there was still much to learn."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from itertools import pairwise
from statistics import median
from typing import TYPE_CHECKING, ClassVar

from trainlint.core.diagnosis import Evidence, Severity
from trainlint.core.rule import Rule
from trainlint.runtime.judging.curves import Curve
from trainlint.runtime.signals import Role, Signal

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trainlint.core.diagnosis import Diagnosis
    from trainlint.runtime.signals import Step

rule = Rule(__name__, "TL455", Severity.WARNING, explained_by=("diverging-loss",))

LATE = 0.1
"""A planned schedule spends less than this share of its steps under a thousandth of its rate."""
FELL = 0.05
"""By how much the loss fell over the last fifty steps in which the rate was still a tenth."""
FEW = 5
"""How many blocks those fifty steps are."""


@rule.detector
@dataclass
class Detector:
    """Follows the rate of the schedule, and what Adagrad makes of it."""

    needs: ClassVar[tuple[str, ...]] = (Signal.LOSS,)
    share: float = 1e-3  # of the highest
    patience: int = 20  # steps
    curve: Curve = field(default_factory=Curve, init=False)
    highest: float = field(default=0.0, init=False)
    effective: float = field(default=0.0, init=False)
    first: float = field(default=0.0, init=False)
    was_falling: bool = field(default=False, init=False)
    length: int = field(default=0, init=False)
    has_spoken: bool = field(default=False, init=False)

    def observe(self, step: Step) -> Iterator[Diagnosis]:
        """Say that the rate is used up, once in a run."""
        loss = step.run(Signal.LOSS)
        if loss is None or step.facts.need_not_fall or self.has_spoken:
            return
        is_new = self.curve.add(step.number, loss)
        rate = step.run(Signal.LEARNING_RATE) or 0.0
        self.highest = max(self.highest, rate)
        self._measure(step, rate)
        scheduled = rate / self.highest if self.highest > 0 else 1.0
        own = self.effective / self.first if self.first > 0 else 1.0
        left = min(scheduled, own)
        if is_new and left > 10 * self.share:
            self.was_falling = self._is_falling()
        if not 0 < left < 0.99 * self.share or self.curve.is_at_floor:
            self.length = 0
            return
        self.length += 1
        if self.was_falling and self.length >= max(self.patience, LATE * step.number):
            self.has_spoken = True
            yield self._diagnosis(step, left, is_scheduled=scheduled <= own)

    def _measure(self, step: Step, rate: float) -> None:
        """Note how far Adagrad's updates go for their gradients, over the median weight."""
        gradients = step.of(Signal.GRADIENT_RMS)
        kinds = [one.kind for one in step.facts.optimizers]
        seen = [
            update / gradients[parameter.name]
            for parameter, update in step.trained(Signal.UPDATE_RMS)
            if kinds[parameter.optimizer] == "Adagrad"
            and parameter.role is Role.WEIGHT
            and gradients.get(parameter.name, 0.0) > 0
        ]
        if seen and rate > 0 and math.isfinite(seen[0]):
            self.effective = median(seen)
            self.first = max(self.first, self.effective)

    def _is_falling(self) -> bool:
        """Say whether the loss still falls: its last fifty steps, or all blocks of a short run."""
        levels = [one.level for one in self.curve.recent]
        if len(levels) < 2 * FEW:
            is_falling = all(after < before for before, after in pairwise(levels))
            return len(levels) >= 3 and is_falling and levels[-1] < (1 - FELL) * levels[0]  # noqa: PLR2004
        before, now = median(levels[-2 * FEW : -FEW]), median(levels[-FEW:])
        return before - now > FELL * abs(before)

    def _diagnosis(self, step: Step, left: float, *, is_scheduled: bool) -> Diagnosis:
        """Say so, with what to use instead."""
        if is_scheduled:
            what = "the learning rate"
            ways = (
                "let the schedule end where the training does: step it once per epoch, or give it as"
                " many steps as there are"
            )
        else:
            what = "Adagrad's effective rate"
            ways = "use `torch.optim.RMSprop` or `torch.optim.Adam`, which forget old gradients"
        return rule.seen(
            step.number,
            step.facts.run,
            f"{what} is {left:.1g} of its highest (bound {self.share:g}) for {self.length} steps, and the"
            f" loss, which was falling, stays at {self.curve.level or 0:.3g}",
            remedy=ways,
            evidence=(Evidence("rate over its highest", left, self.share, Signal.LEARNING_RATE),),
        )
