"""The model gives the same output for every input."""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass, field
from statistics import median
from typing import TYPE_CHECKING, ClassVar

from trainlint.core.diagnosis import Evidence, Severity
from trainlint.core.rule import Rule
from trainlint.runtime.judging.remedies import named, rate_over
from trainlint.runtime.signals import Signal

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trainlint.core.diagnosis import Diagnosis
    from trainlint.runtime.signals import Step

rule = Rule(
    __name__,
    "TL928",
    Severity.ERROR,
    explained_by=(
        "dead-relu",
        "saturated-activation",
        "collapsed-representation",
        "vanishing-gradient",
        "constant-input",
        "symmetric-units",
        "input-not-used",
    ),
)

NEARLY = 1e-2
"""Under this variance, relative to the mean square, outputs with one class are nearly the same."""
DEAD = 0.99
"""From this share on a layer of dead units passes nothing on."""
EXAMPLES = 8
"""Fewer examples are alike by chance."""
EVEN = 0.9
"""Over this share of one label, predicting it for all is what the data teach."""


@rule.detector
@dataclass
class Detector:
    """Counts the measured steps in which the predictions do not depend on the input."""

    needs: ClassVar[tuple[str, ...]] = (Signal.OUTPUT_VARIANCE,)
    variance: float = 1e-6  # over the batch, over the mean square
    patience: int = 10  # measured steps
    steps: int = 50  # for one class: an untrained model may prefer one
    lengths: dict[bool, list[int]] = field(default_factory=dict, init=False)
    labels: deque[float] = field(default_factory=lambda: deque(maxlen=50), init=False)

    def observe(self, step: Step) -> Iterator[Diagnosis]:
        """Say that all outputs are the same, or that all examples get one class."""
        spread = step.run(Signal.OUTPUT_VARIANCE)
        if spread is None or not math.isfinite(spread) or self._is_small(step):
            return
        if any(dead >= DEAD for _, dead in step.layers(Signal.DEAD_UNITS)):
            return  # that is the cause, and has a rule of its own
        share, labels = step.run(Signal.PREDICTED_SHARE), step.run(Signal.TARGET_SHARE)
        if labels is not None:
            self.labels.append(labels)
        is_same = spread < self.variance
        is_one = share == 1 and spread < NEARLY and bool(self.labels) and median(self.labels) < EVEN
        if self._lasts(step, is_bad=is_same, exactly=True, steps=0):
            yield self._diagnosis(
                step,
                f"the variance of the output over the batch is {spread:.1g} of its mean square (bound"
                f" {self.variance:g}) for {self.patience} measured steps in a row: it is the same for"
                " every input",
                Evidence(
                    "variance over mean square", spread, self.variance, Signal.OUTPUT_VARIANCE
                ),
            )
        elif self._lasts(step, is_bad=is_one and not is_same, exactly=False, steps=self.steps):
            yield self._diagnosis(
                step,
                "all examples get the same class, with nearly the same probabilities, for"
                f" {self.patience} measured steps in a row, where {median(self.labels):.0%} of the labels"
                f" are the same (bound {EVEN:.0%})",
                Evidence("share of one class", 1.0, EVEN, Signal.PREDICTED_SHARE),
                Severity.WARNING,
            )

    @staticmethod
    def _is_small(step: Step) -> bool:
        """Say whether the batch proves nothing: few examples, or all inputs the same."""
        size = step.run(Signal.BATCH_SIZE)
        return (size is not None and size < EXAMPLES) or step.run(Signal.INPUT_CONSTANT) == 1

    def _lasts(self, step: Step, *, is_bad: bool, exactly: bool, steps: int) -> bool:
        """Count a measured step of a streak; True when this is the one at which to speak."""
        if not is_bad:
            self.lengths.pop(exactly, None)
            return False
        streak = self.lengths.setdefault(exactly, [step.number, 0, 0])
        streak[1] += 1
        if streak[2] or streak[1] < self.patience or step.number - streak[0] < steps:
            return False
        streak[2] = 1
        return True

    @staticmethod
    def _diagnosis(
        step: Step, message: str, evidence: Evidence, severity: Severity | None = None
    ) -> Diagnosis:
        """Say so, with what the last layers suggest."""
        last = next((one for one in reversed(step.facts.layers) if one.is_output), None)
        if last is not None and last.activation is not None:
            ways = f"scale the targets into the range of {named(last)}, or leave it out, and"
            ways = f"{ways} try {rate_over(step, 3)}"
        elif severity is not None:
            ways = f"weight the classes in the loss or sample them evenly, and try {rate_over(step, 3)}"
        else:
            ways = f"look for dead layers and for decay that is too strong, and try {rate_over(step, 3)}"
        return rule.seen(
            step.number,
            step.facts.run,
            message,
            remedy=ways,
            evidence=(evidence,),
            severity=severity,
        )
