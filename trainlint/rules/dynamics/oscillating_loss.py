"""The loss swings up and down in a rhythm instead of falling."""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass, field
from itertools import pairwise
from statistics import fmean, median
from typing import TYPE_CHECKING, ClassVar

from trainlint.core.diagnosis import Evidence, Severity
from trainlint.core.rule import Rule
from trainlint.runtime.judging.remedies import rate_over
from trainlint.runtime.signals import Signal

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from trainlint.core.diagnosis import Diagnosis
    from trainlint.runtime.signals import Step

rule = Rule(__name__, "TL924", Severity.WARNING, explained_by=("diverging-loss",))

WINDOW = 64
"""How many losses are searched for a rhythm."""
LOW = 10.0
"""Swings under the start divided by this are small beside what was to be learned."""


@rule.detector
@dataclass
class Detector:
    """Searches the last losses for one frequency that makes up most of their swings."""

    needs: ClassVar[tuple[str, ...]] = (Signal.LOSS,)
    amplitude: float = 0.3  # of the level, from the level to a crest
    rhythm: float = 0.6  # of the variance in one frequency; in noise of any kind under 0.45
    patience: int = 50  # steps
    losses: deque[float] = field(default_factory=lambda: deque(maxlen=WINDOW), init=False)
    head: list[float] = field(default_factory=list, init=False)
    rates: deque[float] = field(default_factory=lambda: deque(maxlen=WINDOW), init=False)
    age: int = field(default=0, init=False)
    length: int = field(default=0, init=False)

    def observe(self, step: Step) -> Iterator[Diagnosis]:
        """Say that the loss oscillates, once until it has been calm."""
        loss = step.run(Signal.LOSS)
        if loss is None or step.facts.need_not_fall or not math.isfinite(loss):
            return
        if len(self.head) < 10:  # noqa: PLR2004 - the start is the median of ten
            self.head.append(loss)
        self.losses.append(loss)
        self.rates.append(step.run(Signal.LEARNING_RATE) or 0.0)
        self.age += 1
        if len(self.losses) < WINDOW or self.age % (WINDOW // 4):
            return
        swing = self._swing()
        if swing is None:
            self.length = 0
            return
        before, self.length = self.length, self.length + WINDOW // 4
        if before < self.patience <= self.length:
            yield self._diagnosis(step, *swing)

    def _swing(self) -> tuple[float, float, int] | None:
        """Return level, amplitude and period of the swings, where they are large and regular."""
        values = _without_trend(self.losses)
        level = fmean(self.losses)
        amplitude = math.sqrt(2 * fmean(one * one for one in values))
        if level <= 0 or amplitude < max(self.amplitude * level, median(self.head) / LOW):
            return None
        if any(after > 1.001 * before for before, after in pairwise(self.rates)):
            return None  # what rises and falls with the rate is the schedule's
        share, cycles = _strongest(values)
        periods = WINDOW // cycles
        return (level, amplitude, periods) if share > self.rhythm else None

    def _diagnosis(self, step: Step, level: float, amplitude: float, period: int) -> Diagnosis:
        """Say so, with the rhythm and what damps it."""
        momentum = max((one.momentum for one in step.facts.optimizers), default=0.0)
        ways = f"try {rate_over(step, 3)} or a larger batch"
        if momentum > 0.95:  # noqa: PLR2004 - more than the usual 0.9 carries it over the valley
            ways += f", and a momentum of 0.9 instead of {momentum:g}"
        share = amplitude / level
        return rule.seen(
            step.number,
            step.facts.run,
            f"the loss swings by {share:.0%} about its level of {level:.3g} (bound"
            f" {self.amplitude:.0%}), up and down every {period} steps, for {self.length} steps: each"
            " step is longer than the valley is wide",
            remedy=ways,
            evidence=(
                Evidence("amplitude over level", share, self.amplitude, Signal.LOSS),
                Evidence("steps per swing", period, None, Signal.LOSS),
            ),
        )


def _without_trend(losses: Collection[float]) -> list[float]:
    """Return losses minus the straight line through them."""
    count = len(losses)
    centre, mean = (count - 1) / 2, fmean(losses)
    slope = sum((at - centre) * one for at, one in enumerate(losses))
    slope /= sum((at - centre) ** 2 for at in range(count))
    return [one - mean - slope * (at - centre) for at, one in enumerate(losses)]


def _strongest(values: Sequence[float]) -> tuple[float, int]:
    """Return which share of the variance lies at one frequency and its neighbour, and the frequency.

    In cycles per window, from 3 on: what is slower is trend.
    """
    count = len(values)
    total = count * sum(one * one for one in values)
    best, at = 0.0, 1
    last = 0.0
    for cycles in range(3, count // 2 + 1):
        turn = 2 * math.pi * cycles / count
        real = sum(one * math.cos(turn * place) for place, one in enumerate(values))
        imaginary = sum(one * math.sin(turn * place) for place, one in enumerate(values))
        power = (real * real + imaginary * imaginary) * (1 if 2 * cycles == count else 2)
        if power + last > best:
            best, at = power + last, cycles if power >= last else cycles - 1
        last = power
    return (best / total if total > 0 else 0.0), at
