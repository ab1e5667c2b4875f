"""Units of a rectifier are 0 for every sample, so that no gradient ever reaches them again."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar

from trainlint.core.diagnosis import Evidence, Severity
from trainlint.core.rule import Rule
from trainlint.runtime.judging.remedies import initialisation, named, rate_over
from trainlint.runtime.judging.streaks import Streaks
from trainlint.runtime.signals import RECTIFYING, Signal

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trainlint.core.diagnosis import Diagnosis
    from trainlint.runtime.signals import Layer, Step

rule = Rule(__name__, "TL250", Severity.WARNING)

JUMP = 3.0
"""By how much the loss rises over its level when a layer dies of one step that was too large."""

ENTIRE = 0.99
"""From this share on there is nothing to wait for: no gradient passes to what could wake a unit."""


@rule.detector
@dataclass
class Detector:
    """Counts the dead units of each layer, and remembers since when there are many."""

    needs: ClassVar[tuple[str, ...]] = (Signal.DEAD_UNITS,)
    share: float = 0.5  # SageMaker Debugger; small healthy networks have up to a third
    severe: float = 0.7  # AUTOTRAINER
    samples: int = 1000  # fewer prove nothing about a unit that fires rarely
    window: int = 10
    patience: int = 10  # units that a new network has not reached yet come alive by themselves
    first: dict[str, float] = field(default_factory=dict, init=False)
    best: float = field(default=float("inf"), init=False)
    has_jumped: bool = field(default=False, init=False)

    def __post_init__(self) -> None:
        self.streaks = Streaks(self.patience)
        self.worst = Streaks(max(1, self.patience // 2))

    def observe(self, step: Step) -> Iterator[Diagnosis]:
        """Yield the layers too many of whose units are dead."""
        loss = step.run(Signal.LOSS)
        if loss is not None:
            self.has_jumped |= loss > JUMP * self.best > 0
            self.best = min(self.best, loss)
        seen = step.of(Signal.WINDOW_SAMPLES)
        steps = step.of(Signal.WINDOW_STEPS)
        for layer, dead in step.layers(Signal.DEAD_UNITS):
            if layer.activation not in RECTIFYING or layer.is_output:
                continue
            if steps.get(layer.name, 0) < self.window or seen.get(layer.name, 0) < self.samples:
                self.first.setdefault(layer.name, dead)
                continue
            while dead >= ENTIRE and self.worst.length(layer.name) < self.worst.patience - 1:
                self.worst.bad(layer.name)
            is_severe = self.worst.seen(layer.name, is_bad=dead > self.severe)
            is_many = self.streaks.seen(layer.name, is_bad=dead > self.share)
            is_said = self.worst.length(layer.name) > self.worst.patience
            if is_severe or (is_many and not is_said):
                bound = self.severe if dead > self.severe else self.share
                window = f"{steps[layer.name]:.0f}"
                yield rule.seen(
                    step.number,
                    layer,
                    f"{dead:.0%} of the units of {named(layer)} were 0 for every sample of the last"
                    f" {window} measured steps (bound {bound:.0%}): no gradient reaches them",
                    remedy=self._remedy(step, layer),
                    evidence=(Evidence("dead units", dead, bound, Signal.DEAD_UNITS),),
                    severity=Severity.ERROR if dead > self.severe else None,
                )

    def _remedy(self, step: Step, layer: Layer) -> str:
        """Say what to do, by when and how the units died."""
        before = step.facts.before(layer)
        if self.first.get(layer.name, 0.0) > self.share and before is not None:
            return f"give {named(before)} {initialisation(before)}, and a bias of 0 or above"
        if self.has_jumped:
            return f"the loss jumped before they died: try {rate_over(step, 3)}"
        return "use `nn.LeakyReLU` or `nn.ELU` here, whose slope is not 0, or a lower learning rate"
