"""Layers are so unequal in their relative gradients that no one learning rate suits them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar

from trainlint.core.diagnosis import Evidence, Severity
from trainlint.core.rule import Rule
from trainlint.runtime.judging.levels import LossLevel
from trainlint.runtime.judging.relative import (
    described,
    has_dead_layer,
    relative_gradients,
    subject_of,
)
from trainlint.runtime.judging.remedies import initialisation
from trainlint.runtime.judging.streaks import Streaks
from trainlint.runtime.signals import SATURATING, Layer, Signal

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trainlint.core.diagnosis import Diagnosis
    from trainlint.runtime.judging.relative import Relative
    from trainlint.runtime.signals import Step

rule = Rule(
    __name__,
    "TL908",
    Severity.WARNING,
    explained_by=(
        "vanishing-gradient",
        "exploding-gradient",
        "no-gradient",
        "dead-relu",
        "saturated-activation",
        "poor-initial-scale",
        "unnormalised-input",
    ),
)


@rule.detector
@dataclass
class Detector:
    """Compares the largest relative gradient of a layer with the smallest."""

    needs: ClassVar[tuple[str, ...]] = (Signal.GRADIENT_RMS, Signal.WEIGHT_RMS)
    spread: float = 1e5  # LARS 2017 finds up to a thousand in a healthy AlexNet
    patience: int = 10
    cause: float = 0.5  # dead or saturated units that explain it
    floor: float = 0.05  # of the first loss: what is learned has small gradients
    level: LossLevel = field(default_factory=LossLevel, init=False)

    def __post_init__(self) -> None:
        self.streaks = Streaks(self.patience)

    def observe(self, step: Step) -> Iterator[Diagnosis]:
        """Yield the layer whose relative gradient is smallest, once it is so by far."""
        self.level.add(step)
        silent = self.level.has_fallen_to(self.floor) or self._has_stopped_units(step)
        for seen in relative_gradients(step):
            number = seen[0].parameter.optimizer
            if _is_adaptive(step, number):
                continue  # it gives each element a rate of its own
            least = min(seen, key=lambda one: one.ratio)
            most = max(seen, key=lambda one: one.ratio)
            times = most.ratio / least.ratio
            if self.streaks.seen(str(number), is_bad=times > self.spread and not silent):
                yield self._said(step, least, most, times)

    def _said(self, step: Step, least: Relative, most: Relative, times: float) -> Diagnosis:
        """Make the diagnosis, about the layer with the smaller gradient."""
        slow, fast = subject_of(step, least.parameter), subject_of(step, most.parameter)
        start = initialisation(slow) if isinstance(slow, Layer) else "an initialisation by its fans"
        return rule.seen(
            step.number,
            slow,
            f"the gradient of {described(fast)}, relative to its weight, is {times:.1e} times that of"
            f" {described(slow)} (bound {self.spread:.0e}) for {self.patience} measured steps in a row: a"
            " rate that suits the one stops the other",
            remedy=(
                f"look for a constant that scales what {described(slow)} returns, and give it {start} or a"
                " normalisation behind it; or use `torch.optim.AdamW`, which scales each gradient"
            ),
            evidence=(
                Evidence("largest over smallest", times, self.spread, Signal.GRADIENT_RMS),
                Evidence("gradient over weight", least.ratio, None, Signal.GRADIENT_RMS),
            ),
        )

    def _has_stopped_units(self, step: Step) -> bool:
        """Say whether dead or saturated units stop the gradient of some layers."""
        return has_dead_layer(step, self.cause) or any(
            flat > self.cause and layer.activation in SATURATING
            for layer, flat in step.layers(Signal.SATURATED)
        )


def _is_adaptive(step: Step, number: int) -> bool:
    """Say whether an optimizer divides the gradients by their scale."""
    optimizers = step.facts.optimizers
    return number < len(optimizers) and optimizers[number].is_adaptive
