"""Gradients are clipped, but the threshold is so high that it has never cut one."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar

from trainlint.core.diagnosis import Evidence, Severity
from trainlint.core.rule import Rule
from trainlint.runtime.signals import Signal

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trainlint.core.diagnosis import Diagnosis
    from trainlint.runtime.signals import Step

rule = Rule(__name__, "TL907", Severity.ADVICE)


@rule.detector
@dataclass
class Detector:
    """Counts the steps in which clipping was asked for and cut nothing."""

    needs: ClassVar[tuple[str, ...]] = (Signal.CLIPPED, Signal.REWRITTEN, Signal.TOTAL_NORM)
    steps: int = 200
    count: int = field(default=0, init=False)
    largest: float = field(default=0.0, init=False)
    is_over: bool = field(default=False, init=False)

    def observe(self, step: Step) -> Iterator[Diagnosis]:
        """Yield the run when its clipping has never had an effect."""
        norm = step.run(Signal.TOTAL_NORM)
        if self.is_over or norm is None or not math.isfinite(norm):
            return
        if step.facts.alternates or step.run(Signal.CLIPPED) or not step.run(Signal.REWRITTEN):
            self.is_over = bool(step.run(Signal.CLIPPED)) or step.facts.alternates
            return
        self.count += 1
        self.largest = max(self.largest, norm)
        if self.count >= self.steps:
            self.is_over = True
            yield rule.seen(
                step.number,
                step.facts.run,
                f"the gradients are clipped, but in {self.steps} measured steps none was cut; the"
                f" largest norm was {self.largest:.2g}",
                remedy=(
                    f"lower the threshold to {2 * self.largest:.2g}, where it stops a jump to twice the"
                    " largest so far, or leave out the clipping, which costs a pass over all gradients"
                ),
                evidence=(
                    Evidence(
                        "largest norm of all gradients", self.largest, None, Signal.TOTAL_NORM
                    ),
                ),
            )
