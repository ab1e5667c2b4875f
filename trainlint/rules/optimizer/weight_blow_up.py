"""Weights grow and grow, and the loss does not fall for it."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar

from trainlint.core.diagnosis import Evidence, Severity
from trainlint.core.rule import Rule
from trainlint.runtime.judging.levels import LossLevel
from trainlint.runtime.judging.remedies import rate_over
from trainlint.runtime.judging.updates import Sufferers
from trainlint.runtime.signals import Role, Signal

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trainlint.core.diagnosis import Diagnosis
    from trainlint.runtime.signals import Parameter, Step

rule = Rule(
    __name__,
    "TL453",
    Severity.WARNING,
    explained_by=("diverging-loss", "exploding-gradient", "update-ratio"),
)

FALLING = 0.9
"""A loss under this share of what it was shows that growth serves learning."""


@dataclass(slots=True)
class Beginning:
    """What a weight and the loss were when the early phase was over."""

    norm: float
    loss: float
    last: float


@rule.detector
@dataclass
class Detector:
    """Remembers the norm of each weight from the end of the early phase on."""

    needs: ClassVar[tuple[str, ...]] = (Signal.WEIGHT_NORM,)
    growth: float = 10.0  # times
    early: int = 100  # steps
    patience: int = 5  # measured steps
    loss: LossLevel = field(default_factory=LossLevel, init=False)
    beginnings: dict[str, Beginning] = field(default_factory=dict, init=False)
    sufferers: Sufferers = field(init=False)

    def __post_init__(self) -> None:
        """Set the patience."""
        self.sufferers = Sufferers(self.patience)

    def observe(self, step: Step) -> Iterator[Diagnosis]:
        """Say which weight has grown most."""
        self.loss.add(step)
        if step.number < self.early:
            return
        normalised = {
            before.name
            for before, after in zip(step.facts.layers, step.facts.layers[1:], strict=False)
            if after.is_norm  # the scale of what it normalises does not count
        }
        worst = self.sufferers.worst(
            (parameter, growth, is_bad)
            for parameter, norm in step.trained(Signal.WEIGHT_NORM)
            if parameter.role is Role.WEIGHT and parameter.layer not in normalised
            for growth, is_bad in self._growth(parameter, norm)
        )
        if worst is None:
            return
        parameter = worst.parameter
        decay = parameter.weight_decay
        ways = (
            f"raise the weight decay from {decay:g}" if decay else "use weight decay, such as 1e-2"
        )
        yield rule.seen(
            step.number,
            parameter,
            f"the norm of {worst.shown} is {worst.value:.0f} times what it was at step"
            f" {self.early} (bound {self.growth:g}) and grows, while the loss does not fall",
            remedy=f"{ways}, normalise the output of `{parameter.layer}`, or try"
            f" {rate_over(step, 3, parameter.optimizer)}",
            evidence=(
                Evidence("growth of the norm", worst.value, self.growth, Signal.WEIGHT_NORM),
            ),
        )

    def _growth(self, parameter: Parameter, norm: float) -> Iterator[tuple[float, bool]]:
        """Yield by how much a weight has grown, and whether that is bad."""
        if not 0 < norm < math.inf:
            return
        begin = self.beginnings.setdefault(parameter.name, Beginning(norm, self.loss.now, norm))
        growth, is_growing = norm / begin.norm, norm > begin.last
        begin.last = norm
        is_falling = self.loss.now < FALLING * begin.loss or self.loss.has_fallen_to(0.1)
        yield growth, growth > self.growth and is_growing and not is_falling
