"""Weights kept in half precision are too coarse for the updates, which round to nothing."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar

from trainlint.core.diagnosis import Evidence, Severity
from trainlint.core.rule import Rule
from trainlint.runtime.judging.levels import LossLevel
from trainlint.runtime.judging.updates import Rate, Sufferers
from trainlint.runtime.signals import Signal

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trainlint.core.diagnosis import Diagnosis
    from trainlint.runtime.signals import Step

rule = Rule(__name__, "TL452", Severity.WARNING, explained_by=("scaler-skips",))

EPSILONS = {"bfloat16": 2**-8, "float16": 2**-11}
"""Half the distance from 1 to the next number: by how much a weight must change at least."""


@rule.detector
@dataclass
class Detector:
    """Counts the elements that have a gradient and stay the same."""

    needs: ClassVar[tuple[str, ...]] = (Signal.ROUNDED_AWAY,)
    share: float = 0.5
    patience: int = 20  # measured steps
    loss: LossLevel = field(default_factory=LossLevel, init=False)
    rate: Rate = field(default_factory=Rate, init=False)
    sufferers: Sufferers = field(init=False)

    def __post_init__(self) -> None:
        """Set the patience."""
        self.sufferers = Sufferers(self.patience)

    def observe(self, step: Step) -> Iterator[Diagnosis]:
        """Say which weights stand still for want of digits."""
        self.loss.add(step)
        if not self.rate.is_settled(step):
            return
        is_done = self.loss.has_fallen_to(0.01)
        worst = self.sufferers.worst(
            (parameter, away, away > self.share and not is_done)
            for parameter, away in step.trained(Signal.ROUNDED_AWAY)
            if parameter.dtype in EPSILONS
        )
        if worst is None:
            return
        parameter = worst.parameter
        yield rule.seen(
            step.number,
            parameter,
            f"{worst.value:.0%} of the updates of {worst.shown} round to nothing (bound {self.share:.0%},"
            f" {self.patience} measured steps in a row): {parameter.dtype} keeps no change under"
            f" {EPSILONS[parameter.dtype]:.1g} of a weight",
            remedy="keep the weights in float32 and run the forward in `torch.autocast`, or use an"
            " optimizer with float32 master weights or stochastic rounding",
            evidence=(
                Evidence("updates rounded away", worst.value, self.share, Signal.ROUNDED_AWAY),
            ),
        )
