"""The gradient of a batch is nearly all noise, and the loss does not fall."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar, Final

from trainlint.core.diagnosis import Evidence, Severity
from trainlint.core.rule import Rule
from trainlint.runtime.judging.levels import LossLevel
from trainlint.runtime.judging.remedies import rate_over
from trainlint.runtime.judging.streaks import Streaks
from trainlint.runtime.signals import Signal

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trainlint.core.diagnosis import Diagnosis
    from trainlint.runtime.signals import Step

rule = Rule(
    __name__,
    "TL905",
    Severity.WARNING,
    explained_by=(
        "vanishing-gradient",
        "exploding-gradient",
        "no-gradient",
        "dead-relu",
        "saturated-activation",
        "collapsed-representation",
        "diverging-loss",
    ),
)

UNTOLD: Final = 1e4
"""Beyond this the estimate says no more than that hardly any signal was found."""


@rule.detector
@dataclass
class Detector:
    """Compares the gradient noise scale with the batch while the loss stays where it began."""

    needs: ClassVar[tuple[str, ...]] = (Signal.NOISE_SCALE, Signal.BATCH_SIZE, Signal.LOSS)
    times: float = 50.0  # McCandlish 2018: a batch far below the noise scale wastes steps
    patience: int = 20
    start: int = 100  # a warm-up gets nowhere either
    progress: float = 0.9  # of the first loss: below it the gradient did lead somewhere
    level: LossLevel = field(default_factory=LossLevel, init=False)

    def __post_init__(self) -> None:
        self.streaks = Streaks(self.patience)

    def observe(self, step: Step) -> Iterator[Diagnosis]:
        """Yield the run when its batches are too small for its signal."""
        self.level.add(step)
        times, batch = step.run(Signal.NOISE_SCALE), step.run(Signal.BATCH_SIZE)
        if times is None or not batch:
            return
        examples = batch * max(step.run(Signal.MICRO_BATCHES) or 1.0, 1.0)
        is_late = step.number > self.start
        is_bad = is_late and times > self.times and not self._gets_anywhere(step)
        if self.streaks.seen("", is_bad=is_bad):
            seen = f"{times:.0f}" if times < UNTOLD else f"over {UNTOLD:.0e}"
            yield rule.seen(
                step.number,
                step.facts.run,
                f"the gradient noise scale is {seen} times the batch of {examples:.0f} (bound"
                f" {self.times:g}) for {self.patience} measured steps in a row, and the loss is where it"
                f" began ({self.level.start:.3g}, now {self.level.now:.3g}): what a step follows is noise",
                remedy=(
                    f"take a batch of {8 * examples:.0f} or accumulate 8 of them, or try"
                    f" {rate_over(step, 3)}; where that changes nothing, inputs and labels may have"
                    " nothing to do with each other"
                ),
                evidence=(
                    Evidence("noise scale over batch", times, self.times, Signal.NOISE_SCALE),
                ),
            )

    def _gets_anywhere(self, step: Step) -> bool:
        """Say whether the loss has fallen, or is none that need fall.

        Objectives of policies and of models that play against each other are noise by nature.
        """
        return (
            step.facts.need_not_fall
            or self.level.lowest <= 0
            or self.level.has_fallen_to(self.progress)
        )
