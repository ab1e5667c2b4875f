"""Ranks that should hold the same weights do not."""

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

rule = Rule(__name__, "TL853", Severity.ERROR)


@rule.detector
@dataclass
class Detector:
    """Says at once when what is equal on all ranks by design is no longer."""

    needs: ClassVar[tuple[str, ...]] = (Signal.RANK_DIFFERENCE,)
    difference: float = 1e-5  # replicas are equal to the bit; a sum in another order changes 1e-7
    streaks: Streaks = field(default_factory=lambda: Streaks(1), init=False)

    def observe(self, step: Step) -> Iterator[Diagnosis]:
        """Yield the run when its replicas differ."""
        seen = step.run(Signal.RANK_DIFFERENCE)
        if seen is None or step.facts.ranks < 2:  # noqa: PLR2004 - one is like itself
            return
        if self.streaks.seen("", is_bad=seen > self.difference):
            yield rule.seen(
                step.number,
                step.facts.run,
                f"the weights of the {step.facts.ranks} ranks differ by {seen:.1g} of their size (bound"
                f" {self.difference:g}): each trains a model of its own, and one of them is saved",
                remedy="call the `DistributedDataParallel` module, not `.module`; build the optimizer from"
                " its parameters; change no weight on one rank only; use `nn.SyncBatchNorm`",
                evidence=(Evidence("difference", seen, self.difference, Signal.RANK_DIFFERENCE),),
            )
