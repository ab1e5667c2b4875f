"""A layer returns NaN or infinite values though what it was given is finite."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar

from trainlint.core.diagnosis import Evidence, Severity
from trainlint.core.rule import Rule
from trainlint.runtime.judging.remedies import named, rate_over
from trainlint.runtime.judging.streaks import Streaks
from trainlint.runtime.signals import Signal

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trainlint.core.diagnosis import Diagnosis
    from trainlint.runtime.signals import Layer, Step

rule = Rule(__name__, "TL256", Severity.ERROR, explained_by=("non-finite-gradient",))


@rule.detector
@dataclass
class Detector:
    """Looks for the first such layer of a forward pass, and remembers what it last returned."""

    needs: ClassVar[tuple[str, ...]] = (Signal.NON_FINITE,)
    streaks: Streaks = field(default_factory=lambda: Streaks(1), init=False)
    healthy: dict[str, float] = field(default_factory=dict, init=False)

    def observe(self, step: Step) -> Iterator[Diagnosis]:
        """Yield the layer that makes the first value that is not finite."""
        largest = step.of(Signal.LARGEST)
        first = None
        for layer, count in step.layers(Signal.NON_FINITE):
            if not count <= 0:
                if first is None and not self._is_mask(step, layer):
                    first = layer, count
            elif layer.name in largest:
                self.healthy[layer.name] = largest[layer.name]
        if not self.streaks.seen("", is_bad=first is not None) or first is None:
            return
        layer, count = first
        if _is_ruined(step, layer) and step.run(Signal.LOSS) is not None:
            return  # an update has done it, and the rules about gradients and the loss say so
        yield self._said(step, layer, count)

    @staticmethod
    def _is_mask(step: Step, layer: Layer) -> bool:
        """Say whether a layer without weights returns infinite values that the loss does not mind."""
        loss = step.run(Signal.LOSS)
        is_infinite = math.isinf(step.of(Signal.LARGEST).get(layer.name, math.nan))
        return not layer.weight and is_infinite and loss is not None and math.isfinite(loss)

    def _said(self, step: Step, layer: Layer, count: float) -> Diagnosis:
        """Make the diagnosis of a layer."""
        last = self.healthy.get(layer.name)
        before = (
            "" if last is None else f"; when it was last healthy, its largest value was {last:.3g}"
        )
        given = step.of(Signal.NON_FINITE_INPUT).get(layer.name, 0.0)
        how = "is given" if given else "is the first to return"
        return rule.seen(
            step.number,
            layer,
            f"{named(layer)} {how} NaN or infinite values ({count:,.0f} of those looked at){before}",
            remedy=self._remedy(step, layer, given),
            evidence=(
                Evidence("NaN or infinite values", count, 0.0, Signal.NON_FINITE),
                *(
                    ()
                    if last is None
                    else (Evidence("largest before", last, None, Signal.LARGEST),)
                ),
            ),
        )

    def _remedy(self, step: Step, layer: Layer, given: float) -> str:
        """Say what to do, by where the values come from."""
        if given and layer.depth == 0:
            return "the batch itself has such values: look for them in the data (`torch.isfinite`)"
        if _is_ruined(step, layer):
            return f"its weights are not finite, so an update has ruined them: try {rate_over(step, 3)}"
        parameter = step.facts.parameter.get(layer.weight)
        if parameter is not None and parameter.dtype == "float16":
            return (
                "float16 ends at 65,504: train in bfloat16, or normalise what this layer is given"
            )
        if given:
            return (
                "what runs right before this layer makes them: look there for a division by 0, `log` or"
                " `sqrt` of what is not positive, `exp` of what is large, or a softmax over masked keys"
                " only"
            )
        return (
            "look in it for a division by 0, `log` or `sqrt` of what is not positive, `exp` of what is"
            " large, or a softmax over masked keys only, and add an epsilon or a `clamp` there"
        )


def _is_ruined(step: Step, layer: Layer) -> bool:
    """Say whether the layer's own weight is not finite."""
    return not math.isfinite(step.of(Signal.WEIGHT_NORM).get(layer.weight, 0.0))
