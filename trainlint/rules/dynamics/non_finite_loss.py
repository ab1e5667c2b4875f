"""The loss is NaN or infinite, so that every gradient is and every weight will be."""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar

from trainlint.core.diagnosis import Evidence, Severity
from trainlint.core.rule import Rule
from trainlint.runtime.judging.remedies import rate_over
from trainlint.runtime.judging.streaks import Streaks
from trainlint.runtime.signals import Signal

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trainlint.core.diagnosis import Diagnosis
    from trainlint.runtime.signals import Step

rule = Rule(__name__, "TL920", Severity.ERROR, explained_by=("non-finite-activation",))

GROWTH = 10.0
"""By how much the last losses lie over the lowest of them where the training blew up."""


@rule.detector
@dataclass
class Detector:
    """Looks at every loss, and remembers the last finite ones."""

    needs: ClassVar[tuple[str, ...]] = (Signal.LOSS,)
    streaks: Streaks = field(default_factory=lambda: Streaks(1), init=False)
    finite: deque[float] = field(default_factory=lambda: deque(maxlen=50), init=False)

    def observe(self, step: Step) -> Iterator[Diagnosis]:
        """Say at once that the loss is not finite."""
        loss = step.run(Signal.LOSS)
        if loss is None:
            return
        if self.streaks.seen("", is_bad=not math.isfinite(loss)):
            what = "NaN" if math.isnan(loss) else "infinite"
            before = (
                f"it was {self.finite[-1]:.3g} the last time that it was finite"
                if self.finite
                else "it never was finite"
            )
            yield rule.seen(
                step.number,
                step.facts.run,
                f"the loss is {what} at step {step.number}, and {before}: one step more and the"
                " weights are lost",
                remedy=self._remedy(step, loss),
                evidence=(Evidence("loss", loss, None, Signal.LOSS),),
            )
        if math.isfinite(loss):
            self.finite.append(loss)

    def _remedy(self, step: Step, loss: float) -> str:
        """Say what to do, by how it came."""
        if any(one.dtype == "float16" for one in step.facts.parameters):
            return "float16 ends at 65504: train in bfloat16, or in autocast with a `GradScaler`"
        if not self.finite:
            return (
                "look for NaN in the inputs and targets (`assert torch.isfinite(inputs).all()`), and"
                " for a logarithm, division or root of 0 in the loss"
            )
        last = list(self.finite)[-3:]
        if max(last) > GROWTH * min(self.finite) > 0:
            return f"the loss grew until it overflowed: try {rate_over(step, 3)}, and clip by norm"
        operation = (
            "a 0 / 0, a root at 0 or a NaN in the batch" if math.isnan(loss) else "a log of 0"
        )
        return (
            f"it came in one step: look for {operation}; `torch.autograd.set_detect_anomaly(True)`"
            " names the operation, and a small `eps` inside of it keeps it finite"
        )
