"""The model's input has not been brought to a mean near 0 and a scale near 1."""

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

rule = Rule(__name__, "TL750", Severity.WARNING)

BYTES = (30.0, 130.0)
"""Between these lies the standard deviation of images in 0 to 255."""


@rule.detector
@dataclass
class Detector:
    """Looks at the scale of the input as the model is given it, and as its first layer is."""

    needs: ClassVar[tuple[str, ...]] = (Signal.INPUT_STD,)
    largest: float = 10.0  # LeCun et al. 1998 ask for 1
    smallest: float = 2e-3  # an image that was divided by 255 twice has 1.2e-3
    offset: float = 10.0
    spread: float = 1e3
    bounded: float = 3.0  # what lies within is harmless, though a feature may hardly ever vary
    streaks: Streaks = field(default_factory=lambda: Streaks(1), init=False)

    def observe(self, step: Step) -> Iterator[Diagnosis]:
        """Yield the run when its input has the wrong scale."""
        std = step.run(Signal.INPUT_STD)
        if std is None or not math.isfinite(std):
            return
        found = self._wrong(step, std)
        if not self.streaks.seen("", is_bad=found is not None) or found is None:
            return
        what, signal, value, bound, remedy = found
        side = "under" if value < bound else "over"
        yield rule.seen(
            step.number,
            step.facts.run,
            f"{what} of the model's input is {value:.3g}, {side} the bound of {bound:g}: the first layer"
            " is badly conditioned",
            remedy=remedy,
            evidence=(Evidence(what, value, bound, signal),),
        )

    def _wrong(self, step: Step, std: float) -> tuple[str, str, float, float, str] | None:
        """Return what is wrong, the signal, its value and bound, and what to do."""
        seen = _seen_by_the_first_layer(step)
        if seen is None:
            return None
        if std > self.largest and seen > self.largest:
            remedy = (
                "subtract each feature's mean and divide by its standard deviation, both computed over"
                " the training set"
            )
            if BYTES[0] < std < BYTES[1]:
                remedy = "if these are bytes, divide by 255; then " + remedy
            return "the standard deviation", Signal.INPUT_STD, std, self.largest, remedy
        if 0 < std < self.smallest:
            remedy = "check whether it is scaled twice, such as divided by 255 after `ToTensor`"
            return "the standard deviation", Signal.INPUT_STD, std, self.smallest, remedy
        if seen <= self.bounded:
            return None
        offset, spread = step.run(Signal.INPUT_OFFSET), step.run(Signal.INPUT_SPREAD)
        if offset is not None and offset > self.offset:
            remedy = "subtract each feature's mean, computed over the training set"
            what = "the mean over the standard deviation of a feature"
            return what, Signal.INPUT_OFFSET, offset, self.offset, remedy
        if spread is not None and spread > self.spread:
            remedy = "divide each feature by its standard deviation, computed over the training set"
            what = "the ratio of the largest to the smallest standard deviation of the features"
            return what, Signal.INPUT_SPREAD, spread, self.spread, remedy
        return None


def _seen_by_the_first_layer(step: Step) -> float | None:
    """Return the RMS of what the first layer with a weight is given; None where a norm comes first.

    A model may scale its input itself, or embed it.
    """
    given = step.of(Signal.INPUT_RMS)
    for layer in step.facts.layers:
        if layer.is_norm:
            return None
        if layer.weight:
            seen = given.get(layer.name)
            return seen if seen is not None and math.isfinite(seen) else None
    return None
