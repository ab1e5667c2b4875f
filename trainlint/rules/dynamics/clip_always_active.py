"""Clipping cuts every gradient by far, so that the threshold and not the loss sets the step."""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass, field
from statistics import median, quantiles
from typing import TYPE_CHECKING, ClassVar

from trainlint.core.diagnosis import Evidence, Severity
from trainlint.core.rule import Rule
from trainlint.runtime.signals import Signal

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trainlint.core.diagnosis import Diagnosis
    from trainlint.runtime.signals import Step

rule = Rule(
    __name__,
    "TL906",
    Severity.WARNING,
    explained_by=(
        "exploding-gradient",
        "accumulating-gradient",
        "unnormalised-input",
        "poor-initial-scale",
        "diverging-loss",
    ),
)


@rule.detector
@dataclass
class Detector:
    """Compares the norm of all gradients after clipping with that before, over a window."""

    needs: ClassVar[tuple[str, ...]] = (
        Signal.CLIPPED,
        Signal.TOTAL_NORM,
        Signal.TOTAL_NORM_BEFORE,
    )
    share: float = 0.99
    ratio: float = 10.0
    cut: float = 0.5  # of the elements by value: the direction is another one then
    window: int = 30
    before: deque[float] = field(init=False)

    def __post_init__(self) -> None:
        self.before = deque(maxlen=self.window)
        self.after: deque[float] = deque(maxlen=self.window)
        self.cuts: deque[float] = deque(maxlen=self.window)
        self.is_said = False

    def observe(self, step: Step) -> Iterator[Diagnosis]:
        """Yield the run when nearly every step of the window was clipped by far."""
        before, after = step.run(Signal.TOTAL_NORM_BEFORE), step.run(Signal.TOTAL_NORM)
        if step.facts.alternates or before is None or after is None:
            return
        if not (0 < before < math.inf and 0 < after < math.inf):
            return
        self.before.append(before)
        self.after.append(after if step.run(Signal.CLIPPED) else before)
        self.cuts.append(_cut(step))
        if len(self.before) < self.window:
            return
        ratios = [was / now for was, now in zip(self.before, self.after, strict=True)]
        active = sum(ratio > 1 for ratio in ratios) / len(ratios)
        by_norm = active > self.share and median(ratios) > self.ratio
        by_value = active > self.share and median(self.cuts) > self.cut
        is_bad = by_norm or by_value
        if is_bad and not self.is_said:
            yield self._by_value(step) if by_value else self._by_norm(step, median(ratios))
        self.is_said = is_bad

    def _by_norm(self, step: Step, ratio: float) -> Diagnosis:
        """Make the diagnosis of a threshold that is too low."""
        usual, limit = quantiles(self.before, n=10)[-1], median(self.after)
        return rule.seen(
            step.number,
            step.facts.run,
            f"clipping cut the gradient in over {self.share:.0%} of the last {self.window} measured steps,"
            f" in the median to 1/{ratio:.3g} of its norm (bound 1/{self.ratio:g}): every step has the"
            f" length of the threshold, {limit:.2g}, and the learning rate is really set by it",
            remedy=(
                f"raise the threshold from {limit:.2g} to {usual:.2g}, which one gradient in ten exceeds,"
                f" and divide the learning rate by about {ratio:.2g}; or leave out the clipping"
            ),
            evidence=(
                Evidence("norm before over after", ratio, self.ratio, Signal.TOTAL_NORM_BEFORE),
            ),
            severity=_severity(step),
        )

    def _by_value(self, step: Step) -> Diagnosis:
        """Make the diagnosis of clipping by value that leaves little of the direction."""
        cut = median(self.cuts)
        return rule.seen(
            step.number,
            step.facts.run,
            f"clipping by value cut {cut:.0%} of the gradient's elements in the median of the last"
            f" {self.window} measured steps (bound {self.cut:.0%}): the step points elsewhere than"
            " the gradient",
            remedy=(
                "clip by norm, which keeps the direction:"
                f" `nn.utils.clip_grad_norm_(model.parameters(), {quantiles(self.before, n=10)[-1]:.2g})`"
            ),
            evidence=(Evidence("elements cut", cut, self.cut, Signal.GRADIENT_CUT),),
            severity=_severity(step),
        )


def _cut(step: Step) -> float:
    """Return the share of all elements that were cut by value."""
    pairs = [
        (value, one.elements)
        for one, value in step.trained(Signal.GRADIENT_CUT)
        if math.isfinite(value)
    ]
    total = sum(elements for _, elements in pairs)
    return sum(value * elements for value, elements in pairs) / total if total else 0.0


def _severity(step: Step) -> Severity | None:
    """Return that of a note where the optimizer divides by the gradient's scale anyway."""
    return Severity.ADVICE if all(one.is_adaptive for one in step.facts.optimizers) else None
