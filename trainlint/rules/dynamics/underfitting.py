"""The training loss stays high, and validation is no worse: the model is too small, or held back."""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass, field
from statistics import median
from typing import TYPE_CHECKING, ClassVar

from trainlint.core.diagnosis import Evidence, Severity
from trainlint.core.rule import Rule
from trainlint.runtime.judging.curves import Curve, estimate
from trainlint.runtime.signals import Signal

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trainlint.core.diagnosis import Diagnosis
    from trainlint.runtime.signals import Step

rule = Rule(
    __name__,
    "TL926",
    Severity.WARNING,
    explained_by=(
        "diverging-loss",
        "oscillating-loss",
        "loss-plateau",
        "collapsed-output",
        "vanishing-gradient",
        "exploding-gradient",
        "no-gradient",
        "unchanged-weights",
        "dead-relu",
        "saturated-activation",
        "probabilities-as-logits",
        "label-shape-broadcast",
        "update-ratio",
        "decayed-effective-rate",
        "decay-dominates",
    ),
)

NEAR = 0.05
"""By how much of the training loss validation may differ and still be the same."""


@rule.detector
@dataclass
class Detector:
    """Compares the levels of training and validation over the last evaluations."""

    needs: ClassVar[tuple[str, ...]] = ()
    high: float = 0.5  # of the start
    evaluations: int = 10
    flat: float = 0.01  # of the level, over all of them
    curve: Curve = field(default_factory=Curve, init=False)
    validations: deque[float] = field(default_factory=lambda: deque(maxlen=100), init=False)
    steps: deque[int] = field(default_factory=lambda: deque(maxlen=100), init=False)
    rates: deque[float] = field(default_factory=lambda: deque(maxlen=100), init=False)
    rate: float = field(default=0.0, init=False)
    has_spoken: bool = field(default=False, init=False)

    def observe(self, step: Step) -> Iterator[Diagnosis]:
        """Say that the model does not fit, as advice: data may hold no more than this."""
        if step.facts.need_not_fall:
            return
        validation, loss = step.run(Signal.VALIDATION_LOSS), step.run(Signal.LOSS)
        self.rate = step.run(Signal.LEARNING_RATE) or self.rate
        if loss is not None:
            self.curve.add(step.number, loss)
        if validation is None or not math.isfinite(validation):
            return
        self.validations.append(validation)
        self.steps.append(step.number)
        self.rates.append(self.rate)
        level = self._level()
        if level is not None and not self.has_spoken:
            self.has_spoken = True  # once in a run: a level that wavers is no news
            yield self._diagnosis(step, level)

    def _level(self) -> float | None:
        """Return the level of the training loss, where it is high, flat and that of validation."""
        start, count = self.curve.start, self.evaluations
        if start is None or start <= 0 or len(self.validations) < count:
            return None
        blocks = [one for one in self.curve.blocks if one.first >= self.steps[-count]]
        if len(blocks) < 8 or self.rate < 0.01 * max(self.rates):  # noqa: PLR2004 - too few for a trend
            return None
        before = estimate(blocks[: len(blocks) // 2])
        after = estimate(blocks[len(blocks) // 2 :])
        error = math.hypot(before.error, after.error)
        if abs(before.level - after.level) + 2 * error > self.flat * after.level:
            return None
        validation = median(list(self.validations)[-count:])
        if after.level < self.high * start or abs(validation - after.level) > NEAR * after.level:
            return None
        return after.level

    def _diagnosis(self, step: Step, level: float) -> Diagnosis:
        """Say so, with what holds it back as far as that is seen."""
        assert self.curve.start is not None
        ways = ["more layers or neurons until it fits", "train longer with a higher rate"]
        decay = max((one.weight_decay for one in step.facts.optimizers), default=0.0)
        if decay > 0:
            ways.append(f"a weight decay under {decay:g}")
        dropout = next((one for one in step.facts.layers if "Dropout" in one.kind), None)
        if dropout is not None:
            ways.append(f"less dropout (`{dropout.name}`)")
        share = level / self.curve.start
        return rule.seen(
            step.number,
            step.facts.run,
            f"the training loss is flat at {level:.3g}, {share:.0%} of its start (bound {self.high:.0%}),"
            f" for {self.evaluations} evaluations, and the validation loss is the same",
            remedy=", ".join(ways[:-1]) + f" or {ways[-1]}",
            evidence=(Evidence("loss over its start", share, self.high, Signal.LOSS),),
            severity=Severity.ADVICE,
        )
