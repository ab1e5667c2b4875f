"""A large part of each step is spent waiting for the next batch."""

from __future__ import annotations

import math
from collections import deque
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

rule = Rule(__name__, "TL753", Severity.WARNING)

LEFT_OUT = 20
"""Of so many steps the longest wait does not count: an epoch's first batch waits for its workers."""


@rule.detector
@dataclass
class Detector:
    """Compares the time spent waiting with the whole, over the last steps together.

    Not step by step: several workers deliver in bursts.
    """

    needs: ClassVar[tuple[str, ...]] = (Signal.STEP_SECONDS, Signal.WAIT_SECONDS)
    share: float = 0.3
    patience: int = 50
    seconds: float = 0.005  # who waits less per step trains something too small to matter
    last: deque[tuple[float, float]] = field(init=False)
    streaks: Streaks = field(default_factory=lambda: Streaks(1), init=False)

    def __post_init__(self) -> None:
        self.last = deque(maxlen=self.patience)

    def observe(self, step: Step) -> Iterator[Diagnosis]:
        """Yield the run if it mostly waits."""
        whole, waited = step.run(Signal.STEP_SECONDS), step.run(Signal.WAIT_SECONDS)
        if whole is None or waited is None or not math.isfinite(whole + waited):
            return
        self.last.append((waited, max(whole, waited)))
        if len(self.last) < self.patience:
            return
        if max(self.last)[0] <= self.seconds:  # the mean is no larger
            self.streaks.good("")
            return
        kept = sorted(self.last)[: self.patience - self.patience // LEFT_OUT]
        waits, total = sum(one for one, _ in kept), sum(one for _, one in kept)
        share, mean = waits / max(total, 1e-9), waits / len(kept)
        if self.streaks.seen("", is_bad=share > self.share and mean > self.seconds):
            yield rule.seen(
                step.number,
                step.facts.run,
                f"{share:.0%} of the time of the last {self.patience} steps was spent waiting for data"
                f" (bound {self.share:.0%}), {1000 * mean:.0f} ms per step: the model idles",
                remedy=_remedy(step.facts.workers),
                evidence=(
                    Evidence(
                        "share of the time spent waiting", share, self.share, Signal.WAIT_SECONDS
                    ),
                ),
            )


def _remedy(workers: int) -> str:
    """Return what to do where so many workers read ahead already."""
    if not workers:
        return (
            "give the `DataLoader` workers (`num_workers=4, persistent_workers=True,"
            " pin_memory=True`), raise their number while it helps, and keep what is decoded"
        )
    return (
        f"the `DataLoader` has {workers} worker{'s' if workers > 1 else ''}: raise the number while it"
        " helps and cores are free, read and decode each example once and keep it; examples that are"
        " in memory anyway come faster without workers, for each batch is handed from process to process"
    )
