"""The loss or the gradients of one rank are not finite, and reach all others with the next step."""

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

rule = Rule(__name__, "TL854", Severity.ERROR)


@rule.detector
@dataclass
class Detector:
    """Names the first rank that is not finite, once."""

    needs: ClassVar[tuple[str, ...]] = ()
    """Every step is shown, for in healthy ones the signal is absent."""
    streaks: Streaks = field(default_factory=lambda: Streaks(1), init=False)

    def observe(self, step: Step) -> Iterator[Diagnosis]:
        """Yield the run, with the rank that was first."""
        rank = step.run(Signal.RANK_NON_FINITE)
        if not step.is_measured and rank is None:
            return
        is_bad = rank is not None and math.isfinite(rank)
        if self.streaks.seen("", is_bad=is_bad) and rank is not None:
            yield rule.seen(
                step.number,
                step.facts.run,
                f"the loss or gradients of rank {rank:.0f} are not finite, and averaging hands them to all"
                f" {step.facts.ranks} ranks",
                remedy=f"look at the batch that rank {rank:.0f} had in this step; if the same host fails"
                " again with other data, its device may be broken",
                evidence=(Evidence("first rank", rank, None, Signal.RANK_NON_FINITE),),
                rank=int(rank),
            )
