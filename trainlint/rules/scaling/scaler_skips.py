"""The GradScaler keeps skipping steps, because gradients overflow at every scale."""

from __future__ import annotations

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

rule = Rule(__name__, "TL850", Severity.WARNING)


@rule.detector
@dataclass
class Detector:
    """Counts the skipped steps after the scale has had time to find its level."""

    needs: ClassVar[tuple[str, ...]] = (Signal.SKIPPED,)
    share: float = 0.05  # 1 of 20; a scaler that grows every 2000 steps skips 1 of 2000
    start: int = 200
    window: int = 100
    scale: float = 1.0
    last: deque[tuple[int, float]] = field(init=False)
    many: Streaks = field(default_factory=lambda: Streaks(1), init=False)
    low: Streaks = field(default_factory=lambda: Streaks(1), init=False)

    def __post_init__(self) -> None:
        self.last = deque(maxlen=self.window + 1)

    def observe(self, step: Step) -> Iterator[Diagnosis]:
        """Yield the run when too many steps are skipped or the scale has sunk too low."""
        skipped = step.run(Signal.SKIPPED)
        if skipped is not None and step.number + skipped > self.start:
            self.last.append((step.number, skipped))
            share = self._share()
            if self.many.seen("", is_bad=share > self.share):
                yield rule.seen(
                    step.number,
                    step.facts.run,
                    f"the GradScaler skipped {share:.0%} of the last steps (bound {self.share:.0%}) though"
                    f" its first {self.start} are over: gradients overflow at a scale that was fine before",
                    remedy="train in bfloat16, which needs no scaler; or clip after `scaler.unscale_`, and"
                    " look for the layer whose values are largest (`half-precision-overflow`)",
                    evidence=(Evidence("skipped steps", share, self.share, Signal.SKIPPED),),
                )
        scale = step.run(Signal.LOSS_SCALE)
        if scale is not None and self.low.seen("", is_bad=scale < self.scale):
            yield rule.seen(
                step.number,
                step.facts.run,
                f"the scale of the GradScaler has sunk to {scale:.2g} (bound {self.scale:g}): the gradients"
                " are not finite at any scale, so no scale helps",
                remedy="look for the NaN or infinity that the forward pass makes in half precision, or"
                " train in bfloat16",
                evidence=(Evidence("scale", scale, self.scale, Signal.LOSS_SCALE),),
            )

    def _share(self) -> float:
        """Return the share of the last steps that were skipped; 0 while there are too few."""
        (first, before), (last, after) = self.last[0], self.last[-1]
        tried = last - first + after - before
        return (after - before) / tried if tried >= self.window else 0.0
