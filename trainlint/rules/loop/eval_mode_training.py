"""The model trains in evaluation mode: no dropout, and no batch statistics."""

from __future__ import annotations

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

rule = Rule(__name__, "TL551", Severity.WARNING)


@rule.detector
@dataclass
class Detector:
    """Counts the steps in which every layer whose mode matters was in evaluation mode."""

    needs: ClassVar[tuple[str, ...]] = (Signal.TRAINING,)
    patience: int = 5
    streaks: Streaks = field(init=False)

    def __post_init__(self) -> None:
        self.streaks = Streaks(self.patience)

    def observe(self, step: Step) -> Iterator[Diagnosis]:
        """Yield the run if it steps in evaluation mode."""
        trained = {
            one.layer
            for one in step.facts.parameters
            if one.trainable and one.optimizer >= 0 and one.learning_rate > 0
        }
        modes = [
            (layer, mode)
            for layer, mode in step.layers(Signal.TRAINING)
            if _is_trained(step, layer, trained)
        ]
        # Who puts single layers in evaluation mode on purpose leaves the model itself in training mode.
        is_meant = (step.run(Signal.TRAINING) or 0.0) > 0
        is_bad = bool(modes) and all(mode == 0 for _, mode in modes) and not is_meant
        if self.streaks.seen("", is_bad=is_bad):
            first = modes[0][0]
            others = f" and {len(modes) - 1} more" if len(modes) > 1 else ""
            yield rule.seen(
                step.number,
                step.facts.run,
                f"{named(first)}{others} ran in evaluation mode in {self.patience} measured steps in a row"
                f" (bound {self.patience}) while the optimizer stepped",
                remedy="call `model.train()` before each epoch, and again after each evaluation that called"
                " `model.eval()`",
                evidence=(Evidence("layers in training mode", 0.0, None, Signal.TRAINING),),
            )


def _is_trained(step: Step, layer: Layer, trained: set[str]) -> bool:
    """Say whether a layer belongs to what is trained: itself, or what a dropout's input comes from."""
    if layer.is_norm:
        own = any(one.layer == layer.name for one in step.facts.parameters)
        if own:
            return layer.name in trained
    before = step.facts.before(layer)
    return before is None or before.name in trained
