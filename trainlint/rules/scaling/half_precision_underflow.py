"""Gradients are smaller than float16 can hold, and become 0."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar

from trainlint.core.diagnosis import Evidence, Severity
from trainlint.core.rule import Rule
from trainlint.runtime.judging.streaks import Streaks
from trainlint.runtime.signals import Role, Signal

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trainlint.core.diagnosis import Diagnosis
    from trainlint.runtime.signals import Step

rule = Rule(
    __name__, "TL852", Severity.WARNING, explained_by=("half-precision-overflow", "dead-relu")
)

DONE = 0.01
"""A loss that has fallen to a hundredth has small gradients because there is little left to learn."""


@rule.detector
@dataclass
class Detector:
    """Counts the elements that are lost, in weights whose other elements are nearly lost too."""

    needs: ClassVar[tuple[str, ...]] = (Signal.GRADIENT_UNDERFLOW, Signal.GRADIENT_RMS)
    share: float = 0.1
    rms: float = 1e-5  # zeros beside larger gradients come from dead units and empty inputs
    patience: int = 5
    streaks: Streaks = field(init=False)
    first: float | None = field(default=None, init=False)

    def __post_init__(self) -> None:
        self.streaks = Streaks(self.patience)

    def observe(self, step: Step) -> Iterator[Diagnosis]:
        """Yield the weights whose gradients underflow."""
        loss = step.run(Signal.LOSS)
        if self.first is None and loss is not None and math.isfinite(loss):
            self.first = loss
        is_done = loss is not None and self.first is not None and loss < DONE * self.first
        sizes = step.of(Signal.GRADIENT_RMS)
        for parameter, share in step.trained(Signal.GRADIENT_UNDERFLOW):
            if parameter.role is not Role.WEIGHT or parameter.is_sparse:
                continue
            size = sizes.get(parameter.name, math.inf)
            is_bad = share > self.share and size < self.rms and not is_done
            if self.streaks.seen(parameter.name, is_bad=is_bad):
                yield rule.seen(
                    step.number,
                    parameter,
                    f"{share:.0%} of the gradient of `{parameter.name}` lies below 6e-8 in"
                    f" {self.patience} measured steps in a row (bound {self.share:.0%}), where float16"
                    f" ends: it is 0, and the rest (RMS {size:.1g}) is coarsely rounded",
                    remedy="keep the weights in float32 and run under `torch.autocast` with a"
                    " `torch.amp.GradScaler`, which scales the loss so that gradients fit; or use bfloat16",
                    evidence=(
                        Evidence("elements lost", share, self.share, Signal.GRADIENT_UNDERFLOW),
                        Evidence("RMS of the gradient", size, self.rms, Signal.GRADIENT_RMS),
                    ),
                )
