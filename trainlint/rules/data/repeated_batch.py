"""The same batches come again in the same order, or one batch all the time."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar, Final

from trainlint.core.diagnosis import Evidence, Severity
from trainlint.core.rule import Rule
from trainlint.runtime.signals import Signal

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trainlint.core.diagnosis import Diagnosis
    from trainlint.runtime.signals import Step

rule = Rule(__name__, "TL754", Severity.WARNING, explained_by=("constant-input",))

KEPT: Final = 4096
"""How many batches are remembered; an order that is longer is not recognised."""
CHANCE: Final = 1e-9
"""How likely it may be that batches which are drawn at random, of those seen, come in that order."""


@rule.detector
@dataclass
class Detector:
    """Remembers when each batch was last seen, and for how long all come at the same distance."""

    needs: ClassVar[tuple[str, ...]] = (Signal.INPUT_FINGERPRINT,)
    repeats: int = 3
    same: int = 20
    seen: dict[float, int] = field(default_factory=dict, init=False)
    last: float | None = field(default=None, init=False)
    in_a_row: int = field(default=0, init=False)
    period: int = field(default=0, init=False)
    count: int = field(default=0, init=False)
    since: int = field(default=0, init=False)
    told: set[str] = field(default_factory=set, init=False)

    def observe(self, step: Step) -> Iterator[Diagnosis]:
        """Yield the run when its batches repeat; each way of repeating once."""
        batch = step.run(Signal.INPUT_FINGERPRINT)
        if batch is None or not math.isfinite(batch):
            return
        before = self.seen.pop(batch, None)
        self.seen[batch] = step.number
        if len(self.seen) > KEPT:
            del self.seen[next(iter(self.seen))]
        self.in_a_row = self.in_a_row + 1 if batch == self.last else 1
        self.last = batch
        self._count(step.number, before)
        if self.in_a_row == self.same and "same" not in self.told:
            self.told.add("same")
            yield rule.seen(
                step.number,
                step.facts.run,
                f"{self.same} measured steps in a row saw the same batch (bound {self.same}): the model can"
                " only learn it by heart",
                remedy="that is a fine test of a model; then take the next batch in each step:"
                " `next(iter(loader))` always gives the first",
                evidence=(Evidence("steps with the same batch", self.in_a_row, self.same),),
                severity=Severity.ADVICE,
            )
        if self._is_ordered(step) and "order" not in self.told:
            self.told.add("order")
            yield rule.seen(
                step.number,
                step.facts.run,
                f"the same batches come in the same order every {self.period:,} steps, {self.count}"
                f" measured ones in a row (bound {self.repeats}): the data are never shuffled",
                remedy="pass `shuffle=True` to the `DataLoader`; with a `DistributedSampler` call"
                " `sampler.set_epoch(epoch)` before each epoch",
                evidence=(
                    Evidence("batches in their old order", self.count, self.repeats),
                    Evidence("steps until the same batch", self.period),
                ),
            )

    def _count(self, number: int, before: int | None) -> None:
        """Count the batches in a row that come as many steps after their last time as the one before."""
        if before is None or self.in_a_row > 1:
            self.period = self.count = 0
        elif number - before == self.period:
            self.count += 1
        else:
            self.period, self.count, self.since = number - before, 1, number

    def _is_ordered(self, step: Step) -> bool:
        """Say whether a whole pass came in the order of the one before, and need not have."""
        if any(one.is_recurrent for one in step.facts.layers):
            return False  # a state that is carried from batch to batch needs their order
        is_whole = step.number - self.since >= self.period > 1
        return is_whole and self.count >= max(self.repeats, self._needed())

    def _needed(self) -> float:
        """Return after how many batches in their old order it is none that came about by chance."""
        return math.log(CHANCE) / math.log(1 / max(len(self.seen), 2))
