"""The validation loss rises while the training loss falls: the model learns by heart."""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass, field
from statistics import median
from typing import TYPE_CHECKING, ClassVar

from trainlint.core.diagnosis import Evidence, Severity
from trainlint.core.rule import Rule
from trainlint.runtime.signals import Signal

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from trainlint.core.diagnosis import Diagnosis
    from trainlint.runtime.signals import Step

rule = Rule(
    __name__, "TL925", Severity.WARNING, explained_by=("diverging-loss", "suspicious-perfection")
)

RECENT = 50
"""How many training losses before an evaluation make the level that it is compared with."""
KEPT = 200
"""How many evaluations are remembered."""


@dataclass(frozen=True, slots=True)
class Evaluation:
    """A validation loss, and the level of the training loss at that time."""

    step: int
    loss: float
    training: float


@rule.detector
@dataclass
class Detector:
    """Compares the last evaluations with the best one."""

    needs: ClassVar[tuple[str, ...]] = ()
    rise: float = 0.05  # of the best validation loss
    patience: int = 3  # evaluations
    fewest: int = 5  # evaluations
    training: deque[float] = field(default_factory=lambda: deque(maxlen=RECENT), init=False)
    evaluations: deque[Evaluation] = field(default_factory=lambda: deque(maxlen=KEPT), init=False)
    first: float | None = field(default=None, init=False)
    has_spoken: bool = field(default=False, init=False)

    def observe(self, step: Step) -> Iterator[Diagnosis]:
        """Say that validation rises while training falls, once until it has a new best."""
        if step.facts.need_not_fall:
            return
        validation, loss = step.run(Signal.VALIDATION_LOSS), step.run(Signal.LOSS)
        if validation is not None and math.isfinite(validation) and self.training:
            level = median(self.training)
            self.first = validation if self.first is None else self.first
            self.evaluations.append(Evaluation(step.number, validation, level))
            best = self._best()
            if best is None:
                self.has_spoken = False
            elif not self.has_spoken:
                self.has_spoken = True
                yield self._diagnosis(step, best)
        if loss is not None and math.isfinite(loss):
            self.training.append(loss)

    def _best(self) -> Evaluation | None:
        """Return the best evaluation, where all of the last ones are surely worse."""
        seen = list(self.evaluations)
        if len(seen) < max(self.fewest, self.patience + 1):
            return None
        last = seen[-self.patience :]
        best = min(seen, key=lambda one: one.loss)
        at = seen.index(best)
        if at >= len(seen) - self.patience or last[-1].loss < last[0].loss:
            return None
        around = median(one.loss for one in seen[max(0, at - 1) : at + 2])
        noise = _noise([one.loss for one in seen])
        learned = max(self.first or 0.0, around) - best.loss
        bound = around + max(self.rise * abs(around), self.rise * learned, 3 * noise)
        if min(one.loss for one in last) <= bound:
            return None
        fallen = best.training - median(one.training for one in last)
        return best if fallen > 0.01 * abs(best.training) else None

    def _diagnosis(self, step: Step, best: Evaluation) -> Diagnosis:
        """Say so, with the step at which to stop."""
        now = self.evaluations[-1]
        ways = ["weight decay", "data augmentation", "a smaller model"]
        if not any("Dropout" in one.kind for one in step.facts.layers):
            ways.insert(0, "dropout")
        share = now.loss / best.loss - 1 if best.loss > 0 else math.inf
        return rule.seen(
            step.number,
            step.facts.run,
            f"the validation loss has risen from {best.loss:.3g} at step {best.step} to {now.loss:.3g}"
            f" (by {share:.0%}, bound {self.rise:.0%}), while the training loss fell from"
            f" {best.training:.3g} to {now.training:.3g}",
            remedy=f"keep the weights of step {best.step} and stop there, or use {', '.join(ways[:-1])}"
            f" or {ways[-1]}",
            evidence=(
                Evidence("validation loss", now.loss, best.loss * (1 + self.rise), "val_loss"),
                Evidence("training loss", now.training, None, Signal.LOSS),
            ),
        )


def _noise(losses: Sequence[float]) -> float:
    """Return the standard deviation of losses about a line through three neighbours.

    Of second differences, which a steady rise or fall leaves at 0; their variance is six times as large.
    """
    triples = zip(losses, losses[1:], losses[2:], strict=False)
    return median(abs(one - 2 * two + three) for one, two, three in triples) * 1.4826 / math.sqrt(6)
