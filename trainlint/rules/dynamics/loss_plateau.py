"""The loss does not fall: it has not since the start, or it is back at a level it had left."""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass, field
from statistics import median
from typing import TYPE_CHECKING, ClassVar

from trainlint.core.diagnosis import Evidence, Severity
from trainlint.core.rule import Rule
from trainlint.runtime.judging.curves import Curve, Estimate, estimate
from trainlint.runtime.judging.remedies import rate_over
from trainlint.runtime.signals import Signal

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trainlint.core.diagnosis import Diagnosis
    from trainlint.runtime.signals import Step

rule = Rule(
    __name__,
    "TL922",
    Severity.WARNING,
    explained_by=(
        "diverging-loss",
        "oscillating-loss",
        "collapsed-output",
        "collapsed-representation",
        "vanishing-gradient",
        "no-gradient",
        "unchanged-weights",
        "half-precision-stagnation",
        "dead-relu",
        "saturated-activation",
        "symmetric-units",
        "probabilities-as-logits",
        "label-shape-broadcast",
        "update-ratio",
        "decayed-effective-rate",
    ),
)

CHANCE = 0.95
"""A cross entropy over this share of ln(classes) has learned nothing that a guess does not know."""
LOST = 0.5
"""How much of the progress is lost where the loss is back at a level it had left."""
ENOUGH = 8
"""How many blocks make a trend."""
ENDED = 0.01
"""Under this share of its highest the rate is at the end of its schedule."""


@rule.detector
@dataclass
class Detector:
    """Asks at every tenth loss whether an improvement would have been seen, and was not."""

    needs: ClassVar[tuple[str, ...]] = (Signal.LOSS,)
    steps: int = 200
    epochs: int = 2  # where they are known
    least: float = 0.02  # of the level: what must be seen if it is there
    curve: Curve = field(default_factory=Curve, init=False)
    class_losses: deque[float] = field(default_factory=lambda: deque(maxlen=10), init=False)
    classes: float = field(default=0.0, init=False)
    epoch: float | None = field(default=None, init=False)
    first_epoch: float | None = field(default=None, init=False)
    rate: float = field(default=0.0, init=False)
    highest_rate: float = field(default=0.0, init=False)
    best_rate: float = field(default=0.0, init=False)
    length: int = field(default=0, init=False)
    has_progressed: bool = field(default=False, init=False)
    has_spoken: bool = field(default=False, init=False)

    def observe(self, step: Step) -> Iterator[Diagnosis]:
        """Say that the loss does not fall, once until it does."""
        loss = step.run(Signal.LOSS)
        if loss is None or step.facts.need_not_fall:
            return
        self._note(step)
        best = self.curve.best
        if not self.curve.add(step.number, loss):
            return
        if self.curve.best is not best:
            self.best_rate = self.rate
        level = self._flat_level()
        if level is None:
            return
        before = self._fell_back(level, step.number)
        if before is not None:
            found = self._back(step, level, before)
        elif self._has_learned_nothing(step, level):
            found = self._from_the_start(step, level)
        else:
            self.has_spoken = False
            return
        if not self.has_spoken:
            self.has_spoken = True
            yield found

    def _note(self, step: Step) -> None:
        """Keep what is known beside the loss; where the rate rises, the trend begins anew."""
        rate, epoch = step.run(Signal.LEARNING_RATE), step.run(Signal.EPOCH)
        classes, class_loss = step.run(Signal.CLASSES), step.run(Signal.CLASS_LOSS)
        if epoch is not None:
            self.epoch = epoch
            self.first_epoch = epoch if self.first_epoch is None else self.first_epoch
        if classes is not None and class_loss is not None and math.isfinite(class_loss):
            self.classes = max(self.classes, classes)
            self.class_losses.append(class_loss)
        if rate is not None:
            if rate > self.rate * 1.001:
                self.curve.restart()
                self.first_epoch = self.epoch
            self.rate, self.highest_rate = rate, max(rate, self.highest_rate)

    def _flat_level(self) -> Estimate | None:
        """Return the level of the longest stretch up to now that is surely flat, if there is one."""
        if self.epoch is not None and self.epoch - (self.first_epoch or 0.0) < self.epochs:
            return None
        if self.rate < ENDED * self.highest_rate:
            return None
        for divisor in (1, 2, 4):
            part = self.curve.blocks[-(len(self.curve.blocks) // divisor) :]
            if len(part) < ENOUGH or part[-1].last - part[0].first + 1 < self.steps:
                return None
            before, after = estimate(part[: len(part) // 2]), estimate(part[len(part) // 2 :])
            gain, error = before.level - after.level, math.hypot(before.error, after.error)
            least = self.least * abs(after.level)
            if gain < 2 * error and abs(gain) + 3 * error < least:
                self.length = part[-1].last - part[0].first + 1
                return after
        return None

    def _fell_back(self, level: Estimate, step: int) -> float | None:
        """Return the best level of before, where most of the progress to it is lost."""
        best, start = self.curve.best, self.curve.start
        if best is None or start is None or step - best.last < self.length:
            return None
        if self.rate > 1.1 * self.best_rate:
            return None  # a rate that rises again costs progress on purpose
        lost = level.level - best.level
        bound = max(LOST * (start - best.level), 0.1 * abs(start), 5 * level.error)
        return best.level if lost > bound else None

    def _has_learned_nothing(self, step: Step, level: Estimate) -> bool:
        """Say whether the flat level is surely no floor."""
        if self.classes > 1:
            return median(self.class_losses) > CHANCE * math.log(self.classes)
        is_resumed = any(one.has_state for one in step.facts.optimizers)
        self.has_progressed = self.has_progressed or self.curve.exceeds_first(level)
        return not (is_resumed or self.has_progressed)

    def _from_the_start(self, step: Step, level: Estimate) -> Diagnosis:
        """Say that nothing has been learned."""
        chance = (
            f", where a guess among {self.classes:.0f} classes has {math.log(self.classes):.3g}"
            if self.classes > 1
            else ""
        )
        ways = (
            "first try to overfit a single batch; if that fails, look at the pair of last activation and"
            " loss and at where the gradient is cut; if it works, at whether inputs and targets belong"
            f" together; then try {rate_over(step, 1 / 3)}"
        )
        return self._diagnosis(step, level, f"it has not fallen since the start{chance}", ways)

    def _back(self, step: Step, level: Estimate, before: float) -> Diagnosis:
        """Say that what was learned is lost."""
        ways = (
            f"go back to a checkpoint of before step {self.curve.best.last if self.curve.best else 0}"
            f" and try {rate_over(step, 3)}, with the gradients clipped by norm"
        )
        return self._diagnosis(step, level, f"its level had been {before:.3g}", ways)

    def _diagnosis(self, step: Step, level: Estimate, what: str, ways: str) -> Diagnosis:
        """Say so, with the length of the plateau."""
        return rule.seen(
            step.number,
            step.facts.run,
            f"the loss is flat at {level.level:.3g} for {self.length} steps (bound {self.steps}), and"
            f" {what}",
            remedy=ways,
            evidence=(
                Evidence("level of the loss", level.level, None, Signal.LOSS),
                Evidence("steps without an improvement", self.length, self.steps, Signal.LOSS),
            ),
        )
