"""One rank is much slower than the others, and all wait for it in every step."""

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

rule = Rule(__name__, "TL855", Severity.WARNING)


@rule.detector
@dataclass
class Detector:
    """Counts the steps in which the slowest rank took far longer than the median."""

    needs: ClassVar[tuple[str, ...]] = (Signal.RANK_SLOWEST,)
    ratio: float = 1.5
    patience: int = 20
    streaks: Streaks = field(init=False)

    def __post_init__(self) -> None:
        self.streaks = Streaks(self.patience)

    def observe(self, step: Step) -> Iterator[Diagnosis]:
        """Yield the run when one rank holds up all others."""
        ratio = step.run(Signal.RANK_SLOWEST)
        if ratio is None or step.facts.ranks < 2:  # noqa: PLR2004 - nobody waits for one
            return
        if self.streaks.seen("", is_bad=ratio > self.ratio):
            yield rule.seen(
                step.number,
                step.facts.run,
                f"the slowest of {step.facts.ranks} ranks takes {ratio:.1f} times the median in"
                f" {self.patience} measured steps in a row (bound {self.ratio:g}): all others wait for it",
                remedy="look at the host of that rank (a hot or shared device, slow storage), and whether"
                " its share of the data has longer examples: sort or bucket them by length",
                evidence=(Evidence("slowest over median", ratio, self.ratio, Signal.RANK_SLOWEST),),
            )
