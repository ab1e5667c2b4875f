"""A gradient holds NaN or infinite elements: the next update ruins the weights."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar, Final

from trainlint.core.diagnosis import Evidence, Severity
from trainlint.core.rule import Rule
from trainlint.runtime.judging.relative import described, subject_of
from trainlint.runtime.judging.streaks import Streaks
from trainlint.runtime.signals import Signal

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trainlint.core.diagnosis import Diagnosis
    from trainlint.runtime.signals import Parameter, Step

rule = Rule(
    __name__,
    "TL903",
    Severity.ERROR,
    explained_by=("non-finite-activation", "non-finite-loss"),
)

OVERFLOWS: Final = 88.0
"""Where `exp` becomes infinite in float32."""


@rule.detector
@dataclass
class Detector:
    """Looks for the first layer, in the order of the backward pass, with such a gradient."""

    needs: ClassVar[tuple[str, ...]] = (Signal.GRADIENT_NON_FINITE,)
    streaks: Streaks = field(default_factory=lambda: Streaks(1), init=False)

    def observe(self, step: Step) -> Iterator[Diagnosis]:
        """Yield the layer at which the gradient is first not finite."""
        if step.run(Signal.SKIPPED) is not None:
            return  # a GradScaler skips such steps, and there is a rule about how many
        bad = [
            (parameter, count)
            for parameter, count in step.trained(Signal.GRADIENT_NON_FINITE)
            if not count <= 0
        ]
        if not self.streaks.seen("", is_bad=bool(bad)):
            return
        parameter, count = max(bad, key=lambda pair: pair[0].depth)
        subject = subject_of(step, parameter)
        others = f", before {len(bad) - 1} others" if len(bad) > 1 else ""
        yield rule.seen(
            step.number,
            subject,
            f"the gradient of `{parameter.name}` of {described(subject)} is the first in the backward pass"
            f" that is NaN or infinite ({_share(count, parameter)}{others}); the layer's own output"
            f" {_forward(step, parameter)}",
            remedy=_remedy(step, parameter),
            evidence=(
                Evidence("NaN or infinite elements", count, 0.0, Signal.GRADIENT_NON_FINITE),
            ),
        )


def _forward(step: Step, parameter: Parameter) -> str:
    """Say whether the layer's output was finite."""
    bad = step.of(Signal.NON_FINITE).get(parameter.layer)
    if bad is None:
        return "was not seen"
    return "was not finite either" if bad > 0 else "was finite"


def _remedy(step: Step, parameter: Parameter) -> str:
    """Say what to do, by what the forward pass was like behind the layer."""
    behind = [one.name for one in step.facts.layers if one.depth >= parameter.depth]
    largest = step.of(Signal.LARGEST)
    if parameter.dtype == "float16":
        return "train in bfloat16, or scale the loss with `torch.amp.GradScaler`: float16 ends at 65,504"
    anomaly = "`torch.autograd.set_detect_anomaly(True)` names the operation in one step"
    if any(largest.get(name, 0.0) > OVERFLOWS for name in behind):
        return (
            "an `exp` behind this layer overflows in its gradient: use `log_softmax`, `logsumexp`, a loss"
            f" on logits, or `clamp` its input; {anomaly}"
        )
    return (
        "an operation behind this layer has no finite slope where it was used (`sqrt` or `norm` at 0, a"
        " division by 0, `log` of 0, a product of 0 and an infinite value): add an epsilon inside of it;"
        f" {anomaly}"
    )


def _share(count: float, parameter: Parameter) -> str:
    """Say how many of a parameter's elements are meant."""
    if not math.isfinite(count):
        return "an unknown number of elements"
    return f"{count:,.0f} of {parameter.elements:,} elements"
