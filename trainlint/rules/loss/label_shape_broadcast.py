"""Predictions of shape (N, 1) and targets of shape (N,) are compared each with each."""

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

rule = Rule(__name__, "TL352", Severity.ERROR)


@rule.detector
@dataclass
class Detector:
    """Says at once when a loss has been spread over a square of predictions and targets."""

    needs: ClassVar[tuple[str, ...]] = (Signal.BROADCAST,)
    streaks: Streaks = field(default_factory=lambda: Streaks(1), init=False)

    def observe(self, step: Step) -> Iterator[Diagnosis]:
        """Yield the run when its shapes do not fit."""
        seen = step.run(Signal.BROADCAST)
        if self.streaks.seen("", is_bad=seen is not None and seen >= 1):
            size = step.run(Signal.BATCH_SIZE)
            count = "N" if size is None else f"{size:.0f}"
            yield rule.seen(
                step.number,
                step.facts.run,
                f"the loss compares each of {count} predictions with each of {count} targets, for one is"
                f" of shape ({count}, 1) and the other of ({count},): the network learns the mean target",
                remedy="give both the same shape: `target.unsqueeze(1)`, or `output.squeeze(1)`",
                evidence=(Evidence("shapes that broadcast", 1.0, 0.0, Signal.BROADCAST),),
            )
