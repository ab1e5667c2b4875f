"""Memory rises for as long as the training runs, for something is kept from every step."""

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

rule = Rule(__name__, "TL552", Severity.WARNING)

MEMORIES = {Signal.MEMORY: "resident", Signal.DEVICE_MEMORY: "device"}
MEGABYTE = 1e6


@dataclass(slots=True)
class _Stretch:
    """The least memory of a stretch of steps, and of the one before it."""

    number: int
    least: float
    before: float | None = None
    first: float | None = None


@rule.detector
@dataclass
class Detector:
    """Compares the least memory of each thousand steps with that of the thousand before."""

    needs: ClassVar[tuple[str, ...]] = (Signal.MEMORY,)
    stretch: int = 1000
    growth: float = 0.05
    patience: int = 3
    stretches: dict[str, _Stretch] = field(default_factory=dict, init=False)
    streaks: Streaks = field(init=False)

    def __post_init__(self) -> None:
        self.streaks = Streaks(self.patience)

    def observe(self, step: Step) -> Iterator[Diagnosis]:
        """Yield the run for each kind of memory that keeps rising."""
        for signal, what in MEMORIES.items():
            seen = step.run(signal)
            if seen is None or not math.isfinite(seen) or seen <= 0:
                continue
            number = (step.number - 1) // self.stretch
            now = self.stretches.get(signal)
            if now is None:
                self.stretches[signal] = _Stretch(number, seen)
            elif now.number == number:
                now.least = min(now.least, seen)
            else:
                yield from self._ended(step, signal, what, now)
                # The first stretch is the allocator's warm-up and is compared with nothing.
                before = now.least if now.number > 0 else None
                self.stretches[signal] = _Stretch(number, seen, before, now.first or before)

    def _ended(self, step: Step, signal: str, what: str, ended: _Stretch) -> Iterator[Diagnosis]:
        """Compare a stretch that is over with the one before it."""
        if ended.before is None or ended.first is None:
            return
        is_bad = ended.least > (1 + self.growth) * ended.before
        if self.streaks.seen(signal, is_bad=is_bad):
            rise = ended.least / ended.before - 1
            total = (ended.least - ended.first) / MEGABYTE
            yield rule.seen(
                step.number,
                step.facts.run,
                f"the {what} memory rises by over {self.growth:.0%} in each of {self.patience} stretches of"
                f" {self.stretch:,} steps, by {rise:.0%} in the last and {total:,.0f} MB together",
                remedy="look for what is kept from each step: a sum or list of losses that are not"
                " `.item()` or `.detach()`, outputs in a list, hooks that are registered again",
                evidence=(Evidence(f"rise of the {what} memory", rise, self.growth, signal),),
            )
