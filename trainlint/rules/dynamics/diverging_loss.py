"""The loss rises over its start or far over its lowest level and does not come back."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING, ClassVar

from trainlint.core.diagnosis import Evidence, Severity
from trainlint.core.rule import Rule
from trainlint.runtime.judging.curves import Curve
from trainlint.runtime.judging.remedies import rate_over
from trainlint.runtime.signals import Signal

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trainlint.core.diagnosis import Diagnosis
    from trainlint.runtime.signals import Step

rule = Rule(__name__, "TL921", Severity.ERROR)

CRITERION = (Signal.CLASS_LOSS, Signal.BROADCAST, Signal.PROBABILITY_INPUT)
"""What is only measured where the loss is a known criterion."""
FAR = 0.3
"""How much of what was gained must be lost again; a level near 0 triples by chance."""
LONG = 5
"""After how many patiences a loss that has stopped rising, but stays high, has diverged too."""


@rule.detector
@dataclass
class Detector:
    """Compares the level of the loss with its start and with its lowest."""

    needs: ClassVar[tuple[str, ...]] = (Signal.LOSS,)
    start: float = 1.5  # times the first losses
    unknown: float = 10.0  # the same without a known criterion: policies' objectives may grow
    minimum: float = 3.0  # times the lowest level
    patience: int = 20  # steps
    curve: Curve = field(default_factory=Curve, init=False)
    is_known: bool = field(default=False, init=False)
    guess: float | None = field(default=None, init=False)
    """The cross entropy of a guess, where the loss began as one; 0 where it is another loss."""
    rate: float = field(default=0.0, init=False)
    best_rate: float = field(default=0.0, init=False)
    length: int = field(default=0, init=False)
    has_spoken: bool = field(default=False, init=False)

    def observe(self, step: Step) -> Iterator[Diagnosis]:
        """Say that the loss diverges, once until it has come back."""
        loss = step.run(Signal.LOSS)
        if loss is None or step.facts.need_not_fall:
            return
        self.is_known = self.is_known or any(step.run(one) is not None for one in CRITERION)
        self._look_for_a_guess(step, loss)
        self.rate = max(self.rate, step.run(Signal.LEARNING_RATE) or 0.0)
        best = self.curve.best
        if not self.curve.add(step.number, loss):
            return
        if self.curve.best is not best:
            self.best_rate = self.rate
        over = self._over()
        self.rate = 0.0
        if over is None:
            self.length, self.has_spoken = 0, False
            return
        self.length += self.curve.size
        if self.has_spoken or self.length < self.patience:
            return
        if self._is_rising() or self.length >= LONG * self.patience:
            self.has_spoken = True
            yield self._diagnosis(step, *over)

    def _look_for_a_guess(self, step: Step, loss: float) -> None:
        """Note from which level a classification began: all of the first block may lie over it."""
        first, classes = step.run(Signal.CLASS_LOSS), step.run(Signal.CLASSES) or 0
        if self.guess is None and first is not None and classes > 1:
            chance = math.log(classes)
            is_guess = first < self.start * chance and math.isclose(loss, first, rel_tol=0.1)
            self.guess = chance if is_guess else 0.0

    def _over(self) -> tuple[float, str] | None:
        """Return the bound that the last block lies over, and what that is a bound of."""
        start, best, level = self.curve.start, self.curve.best, self.curve.recent[-1].level
        if start is None or len(self.curve.recent) < 2:  # noqa: PLR2004 - the first is the start
            return None
        factor = self.start if self.is_known else self.unknown
        bound = start + max((factor - 1) * abs(start), 6 * self._early_noise)
        if level > bound:
            return bound, f"{factor:g} times its start of {start:.3g}"
        if self.guess and level > self.start * self.guess:
            bound = self.start * self.guess
            return bound, f"{self.start:g} times what a guess gives, from which it began"
        if best is None or best.level <= 0 or self.rate > 1.1 * self.best_rate:
            return None  # after a restart of the rate the loss must rise
        bound = max(self.minimum * best.level, best.level + FAR * (start - best.level))
        if start > best.level and level > bound:
            return bound, f"{self.minimum:g} times its lowest level of {best.level:.3g}"
        return None

    @property
    def _early_noise(self) -> float:
        """How much the first losses differ among themselves."""
        steps = sorted(abs(after - before) for before, after in pairwise(self.curve.head))
        return steps[len(steps) // 2]

    def _is_rising(self) -> bool:
        """Say whether each of the last three blocks lies over the one before."""
        levels = [one.level for one in self.curve.recent][-3:]
        return all(after > before for before, after in pairwise(levels))

    def _diagnosis(self, step: Step, bound: float, what: str) -> Diagnosis:
        """Say so, with the rate to try next."""
        level = self.curve.recent[-1].level
        ways = f"try {rate_over(step, 3)}"
        if step.run(Signal.CLIPPED) == 0:
            ways += ", and clip the gradients by norm"
        if step.number < 10 * self.curve.size:
            ways += ", and warm the rate up over the first steps"
        return rule.seen(
            step.number,
            step.facts.run,
            f"the loss diverges: its level is {level:.3g}, for {self.length} steps over {what}"
            f" (bound {bound:.3g})",
            remedy=ways,
            evidence=(Evidence("level of the loss", level, bound, Signal.LOSS),),
        )
