"""Outputs of a layer are larger than float16 can hold, and become infinite."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar

from trainlint.core.diagnosis import Evidence, Severity
from trainlint.core.rule import Rule
from trainlint.runtime.judging.remedies import named
from trainlint.runtime.judging.streaks import Streaks
from trainlint.runtime.signals import Signal

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trainlint.core.diagnosis import Diagnosis
    from trainlint.runtime.signals import Layer, Step

rule = Rule(__name__, "TL851", Severity.ERROR)

LIMIT = "65,504"


@rule.detector
@dataclass
class Detector:
    """Counts the values beyond float16's range; at once where the loss is lost by them."""

    needs: ClassVar[tuple[str, ...]] = (Signal.HALF_OVERFLOW,)
    share: float = 1e-4
    patience: int = 3
    streaks: Streaks = field(init=False)
    said: set[str] = field(default_factory=set, init=False)

    def __post_init__(self) -> None:
        self.streaks = Streaks(self.patience)

    def observe(self, step: Step) -> Iterator[Diagnosis]:
        """Yield the first layer that overflows, for what follows has it from there."""
        loss = step.run(Signal.LOSS)
        is_lost = loss is not None and not math.isfinite(loss)
        for layer, share in step.layers(Signal.HALF_OVERFLOW):
            is_bad = share > self.share and (is_lost or not _is_mask(step, layer))
            is_ready = self.streaks.seen(layer.name, is_bad=is_bad)
            if not is_bad:
                self.said.discard(layer.name)
            elif (is_ready or is_lost) and layer.name not in self.said:
                if not self.said:
                    yield self._told(step, layer, share)
                self.said.add(layer.name)

    def _told(self, step: Step, layer: Layer, share: float) -> Diagnosis:
        """Say that a layer overflows."""
        return rule.seen(
            step.number,
            layer,
            f"{share:.2g} of the outputs of {named(layer)} lie beyond 6e4 (bound {self.share:g}), where"
            f" float16 ends at {LIMIT}: they become infinite, and the loss NaN",
            remedy="run under `torch.autocast` with bfloat16, whose range is that of float32, or compute"
            f" `{layer.name}` in float32 and normalise what it is given",
            evidence=(Evidence("values beyond 6e4", share, self.share, Signal.HALF_OVERFLOW),),
        )


def _is_mask(step: Step, layer: Layer) -> bool:
    """Say whether a layer's values are minus infinity on purpose, as scores that are masked."""
    return step.of(Signal.MEAN).get(layer.name, 0.0) == -math.inf
