"""Weight decay moves the weights more than the gradient does."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar

from trainlint.core.diagnosis import Evidence, Severity
from trainlint.core.rule import Rule
from trainlint.runtime.judging.levels import LossLevel
from trainlint.runtime.judging.updates import Rate, Sufferers
from trainlint.runtime.signals import Role, Signal

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trainlint.core.diagnosis import Diagnosis
    from trainlint.runtime.signals import Step

rule = Rule(
    __name__,
    "TL456",
    Severity.WARNING,
    explained_by=("no-gradient", "dead-relu", "vanishing-gradient"),
)

WHOLE = frozenset({Role.WEIGHT, Role.NORM, Role.BIAS})
"""The kinds of parameters whose every element has a gradient in every step."""


@rule.detector
@dataclass
class Detector:
    """Compares the two parts of each parameter's update."""

    needs: ClassVar[tuple[str, ...]] = (Signal.DECAY_RATIO,)
    ratio: float = 2.0
    patience: int = 20  # measured steps
    loss: LossLevel = field(default_factory=LossLevel, init=False)
    rate: Rate = field(default_factory=Rate, init=False)
    sufferers: Sufferers = field(init=False)

    def __post_init__(self) -> None:
        """Set the patience."""
        self.sufferers = Sufferers(self.patience)

    def observe(self, step: Step) -> Iterator[Diagnosis]:
        """Say which parameter is pulled to 0 harder than it is taught."""
        self.loss.add(step)
        is_ready = self.rate.is_settled(step) and not self.loss.has_fallen_to(0.1)
        worst = self.sufferers.worst(
            (parameter, ratio, is_ready and ratio > self.ratio)
            for parameter, ratio in step.trained(Signal.DECAY_RATIO)
            if parameter.role in WHOLE and not parameter.is_sparse and ratio < math.inf
        )
        if worst is None:
            return
        parameter = worst.parameter
        decay = parameter.weight_decay
        ways = (
            f"try a weight decay of {decay / 10:.1g} instead of {decay:.1g}"
            if parameter.role is Role.WEIGHT
            else "give norms and biases a parameter group with `weight_decay=0`"
        )
        yield rule.seen(
            step.number,
            parameter,
            f"weight decay moves {worst.shown} {worst.value:.2g} times as far as its gradient does (bound"
            f" {self.ratio:g}) for {self.patience} measured steps in a row: it shrinks towards 0",
            remedy=ways,
            evidence=(
                Evidence("decay over gradient", worst.value, self.ratio, Signal.DECAY_RATIO),
            ),
        )
