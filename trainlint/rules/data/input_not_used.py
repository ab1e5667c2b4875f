"""The model's output is the same whatever it is given."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar

from trainlint.core.diagnosis import Evidence, Severity
from trainlint.core.rule import Rule
from trainlint.runtime.signals import Signal
from trainlint.runtime.streaks import Streaks

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trainlint.core.diagnosis import Diagnosis
    from trainlint.runtime.signals import Step

rule = Rule(
    __name__,
    "TL752",
    Severity.ERROR,
    explained_by=(
        "non-finite-loss",
        "non-finite-activation",
        "dead-relu",
        "constant-input",
        "unnormalised-input",
        "collapsed-representation",
        "collapsed-output",
    ),
)


@rule.detector
@dataclass
class Detector:
    """Counts the steps in which an unequal batch changed nothing of the output."""

    needs: ClassVar[tuple[str, ...]] = (Signal.OUTPUT_CHANGE,)
    change: float = 1e-6  # below what float32 keeps of a sum
    patience: int = 20
    streaks: Streaks = field(init=False)

    def __post_init__(self) -> None:
        self.streaks = Streaks(self.patience)

    def observe(self, step: Step) -> Iterator[Diagnosis]:
        """Yield the run if its output does not depend on its input."""
        change = step.run(Signal.OUTPUT_CHANGE)
        if change is None or change != change:  # noqa: PLR0124 - NaN: the batches were equal
            return
        if self.streaks.seen("", is_bad=change < self.change):
            yield rule.seen(
                step.number,
                step.facts.run,
                f"the model's output changes by {change:.1g} of its size from one batch to another, in"
                f" {self.patience} measured steps in a row (bound {self.change:g}): it does not depend on"
                " the input",
                remedy="follow the argument of `forward` to the output: it may be overwritten, kept from"
                " the first call, multiplied by a mask of 0, or feed only units that are dead",
                evidence=(
                    Evidence("change of the output", change, self.change, Signal.OUTPUT_CHANGE),
                ),
            )
