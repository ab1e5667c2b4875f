"""Gradients of earlier steps are never cleared, so each step uses the sum of all."""

from __future__ import annotations

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

rule = Rule(__name__, "TL550", Severity.ERROR)


@rule.detector
@dataclass
class Detector:
    """Counts the steps whose first `backward` adds to gradients that were used already."""

    needs: ClassVar[tuple[str, ...]] = (Signal.STALE_GRADIENT,)
    share: float = 0.5  # of the parameters; a few may belong to a loss of their own
    patience: int = 5
    streaks: Streaks = field(init=False)

    def __post_init__(self) -> None:
        self.streaks = Streaks(self.patience)

    def observe(self, step: Step) -> Iterator[Diagnosis]:
        """Yield the run if nobody clears its gradients."""
        if step.number == 1 or step.facts.alternates:  # nothing to clear yet, or another's turn
            return
        stale = [value for _, value in step.trained(Signal.STALE_GRADIENT)]
        kept = sum(value > 0 for value in stale)
        share = kept / len(stale) if stale else 0.0
        if self.streaks.seen("", is_bad=share > self.share):
            yield rule.seen(
                step.number,
                step.facts.run,
                f"{kept} of {len(stale)} parameters still had the gradient of the last step when `backward`"
                f" began, in {self.patience} measured steps in a row: each step uses the sum of all so far",
                remedy="call `optimizer.zero_grad()` once per step, before `backward()`",
                evidence=(
                    Evidence("parameters not cleared", share, self.share, Signal.STALE_GRADIENT),
                ),
            )
