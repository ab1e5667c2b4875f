"""The model's output is the same whatever it is given."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar

from trainlint.core.diagnosis import Evidence, Severity
from trainlint.core.rule import Rule
from trainlint.runtime.judging.streaks import Streaks
from trainlint.runtime.signals import Signal

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trainlint.core.diagnosis import Diagnosis
    from trainlint.runtime.signals import Step

rule = Rule(
    __name__,
    "TL752",
    Severity.ERROR,
    explained_by=(
        "constant-input",
        "unnormalised-input",
        "collapsed-representation",
        "collapsed-output",
    ),
)

SAME = 1e-10
"""The variance over the batch, over the mean square, that rounding leaves where all is the same."""
EXAMPLES = 4
"""Fewer may be alike by chance."""


@rule.detector
@dataclass
class Detector:
    """Counts the steps in which another batch, or another example, changed nothing of the output."""

    needs: ClassVar[tuple[str, ...]] = ()
    change: float = 1e-6  # below what float32 keeps of a sum
    patience: int = 20
    alike: int = 5  # measured steps in which all layers return the same for all examples
    streaks: Streaks = field(init=False)

    def __post_init__(self) -> None:
        self.streaks = Streaks(self.patience)
        self.same = Streaks(self.alike)

    def observe(self, step: Step) -> Iterator[Diagnosis]:
        """Yield the run if its output does not depend on its input."""
        change = step.run(Signal.OUTPUT_CHANGE)
        is_known = change is not None and change == change  # noqa: PLR0124 - NaN: the batches were equal
        if is_known and self.streaks.seen("", is_bad=(change or 0.0) < self.change):
            yield _said(
                step,
                f"the model's output changes by {change:.1g} of its size from one batch to another, in"
                f" {self.patience} measured steps in a row (bound {self.change:g})",
                Evidence("change of the output", change or 0.0, self.change, Signal.OUTPUT_CHANGE),
            )
        largest = _largest_variance(step)
        if largest is not None and self.same.seen("", is_bad=largest < SAME):
            yield _said(
                step,
                f"from the first layer on all examples of a batch look the same, though the inputs differ,"
                f" in {self.alike} measured steps in a row",
                Evidence("variance over mean square", largest, SAME, Signal.BATCH_VARIANCE),
            )


def _said(step: Step, what: str, evidence: Evidence) -> Diagnosis:
    """Make the diagnosis."""
    return rule.seen(
        step.number,
        step.facts.run,
        f"{what}: it does not depend on the input",
        remedy="follow the argument of `forward` to the output: it may be overwritten, kept from"
        " the first call, multiplied by a mask of 0, or feed only units that are dead",
        evidence=(evidence,),
    )


def _largest_variance(step: Step) -> float | None:
    """Return the largest variance of a layer over the batch; None where that proves nothing."""
    if not step.run(Signal.INPUT_STD) or step.run(Signal.INPUT_CONSTANT) == 1:
        return None
    if (step.run(Signal.BATCH_SIZE) or 0) < EXAMPLES:
        return None
    sizes = step.of(Signal.RMS)
    seen = [
        spread
        for layer, spread in step.layers(Signal.BATCH_VARIANCE)
        if 0 < sizes.get(layer.name, 0.0) < math.inf
    ]
    return max(seen) if seen and step.facts.layers[-1].is_output else None
