"""The loss jumps far over its level, stays there for some steps and comes back."""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass, field
from statistics import median
from typing import TYPE_CHECKING, ClassVar

from trainlint.core.diagnosis import Evidence, Severity
from trainlint.core.rule import Rule
from trainlint.runtime.judging.curves import deviation
from trainlint.runtime.judging.remedies import rate_over
from trainlint.runtime.signals import Signal

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trainlint.core.diagnosis import Diagnosis
    from trainlint.runtime.signals import Step

rule = Rule(
    __name__,
    "TL923",
    Severity.WARNING,
    explained_by=("diverging-loss", "exploding-gradient", "oscillating-loss"),
)

REFRESH = 10
"""After how many losses the level and its noise are computed again."""
JUMP = 1.2
"""By how much the learning rate rises in one step at a restart."""
HEAVY = 500
"""Where more than one loss in so many stands out alone, the batches do, and two in a row are chance."""
SLOW_BETA2 = 0.99
"""From here on Adam's second moment forgets a spike only after hundreds of steps."""


@dataclass(slots=True)
class Spike:
    """A rise of the loss that has not ended."""

    first: int
    peak: float
    score: float
    length: int = 1


@rule.detector
@dataclass
class Detector:
    """Compares every loss with the median and the noise of the last hundred."""

    needs: ClassVar[tuple[str, ...]] = (Signal.LOSS,)
    score: float = 6.0  # robust standard deviations over the median
    height: float = 1.5  # times the median
    length: int = 3  # steps: one is a batch, not the weights
    early: int = 50  # steps in which losses fall too fast for a level
    back: int = 200  # steps after which it is no spike
    losses: deque[float] = field(default_factory=lambda: deque(maxlen=100), init=False)
    head: list[float] = field(default_factory=list, init=False)
    level: float = field(default=0.0, init=False)
    noise: float = field(default=0.0, init=False)
    age: int = field(default=0, init=False)
    lone: int = field(default=0, init=False)
    rate: float = field(default=0.0, init=False)
    spike: Spike | None = field(default=None, init=False)
    count: int = field(default=0, init=False)

    def observe(self, step: Step) -> Iterator[Diagnosis]:
        """Say that a spike is over: how high it was, how long it took, and which one it is."""
        loss = step.run(Signal.LOSS)
        if loss is None or step.facts.need_not_fall or not math.isfinite(loss):
            return
        rate = step.run(Signal.LEARNING_RATE) or self.rate
        if rate > JUMP * self.rate:
            self._forget()  # a restart of the rate raises the loss on purpose
        self.rate = rate
        if len(self.losses) >= self.early and self.level > 0:
            spike = self._over(step.number, loss)
            if spike is not None:
                self.count += 1
                yield self._diagnosis(step, spike)
        self._keep(loss)

    def _forget(self) -> None:
        """Wait for a new level."""
        self.losses.clear()
        self.spike = None

    def _keep(self, loss: float) -> None:
        """Take a loss into the level, which is computed again at times."""
        if len(self.head) < REFRESH:
            self.head.append(loss)
        self.age += 1
        if self.spike is None:
            self.losses.append(loss)
        if self.age % REFRESH == 0 and self.losses:
            self.level = median(self.losses)
            self.noise = max(deviation(self.losses), abs(self.level) / 100)

    def _over(self, number: int, loss: float) -> Spike | None:
        """Follow a rise of the loss; return it when it is over and was a spike."""
        score = (loss - self.level) / self.noise
        bound = max(self.height * self.level, median(self.head) / 10)
        is_high = score > self.score and loss > bound
        if self.spike is None:
            self.spike = Spike(number, loss, score) if is_high else None
            return None
        spike = self.spike
        spike.length += is_high
        if loss > spike.peak:
            spike.peak, spike.score = loss, score
        if number - spike.first > self.back:
            self._forget()  # a level that has changed is for other rules
        elif score < self.score / 2:
            self.spike = None
            is_heavy = self.lone > self.age / HEAVY
            if spike.length >= self.length * (2 if is_heavy else 1):
                return spike
            self.lone += 1
        return None

    def _diagnosis(self, step: Step, spike: Spike) -> Diagnosis:
        """Say so, with the batch at which it began."""
        which = "" if self.count == 1 else f", spike number {self.count} of this run"
        return rule.seen(
            step.number,
            step.facts.run,
            f"the loss jumped from {self.level:.3g} to {spike.peak:.3g} at step {spike.first},"
            f" {spike.score:.0f} standard deviations over its level (bound {self.score:g}), and stayed"
            f" high for {spike.length} steps{which}",
            remedy=self._remedy(step, spike),
            evidence=(Evidence("standard deviations", spike.score, self.score, Signal.LOSS),),
        )

    @staticmethod
    def _remedy(step: Step, spike: Spike) -> str:
        """Say what to do: clip, forget sooner, look at the batch."""
        ways = [f"look at the batch of step {spike.first - 1}"]
        if step.run(Signal.CLIPPED) != 1:
            ways.append("clip the gradients by norm")
        slow = [one for one in step.facts.optimizers if one.is_adaptive and one.beta2 > SLOW_BETA2]
        if slow:
            ways.append(f"lower beta2 from {slow[0].beta2:g} to 0.95")
        else:
            ways.append(f"try {rate_over(step, 3)}")
        return ", ".join(ways[:-1]) + f" or {ways[-1]}"
