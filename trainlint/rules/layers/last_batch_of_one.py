"""The last batch of an epoch has so few examples that batch normalisation has nothing to compare."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar

from trainlint.core.diagnosis import Evidence, Severity
from trainlint.core.rule import Rule
from trainlint.runtime.judging.remedies import named
from trainlint.runtime.signals import Signal

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trainlint.core.diagnosis import Diagnosis
    from trainlint.runtime.signals import Step

rule = Rule(__name__, "TL652", Severity.WARNING, explained_by=("tiny-batch",))


@rule.detector
@dataclass
class Detector:
    """Looks for a batch of one among larger ones, where a batch normalisation trains."""

    needs: ClassVar[tuple[str, ...]] = (Signal.NORM_SAMPLES, Signal.BATCH_SIZE)
    samples: int = 2
    usual: float = field(default=0.0, init=False)
    is_told: bool = field(default=False, init=False)

    def observe(self, step: Step) -> Iterator[Diagnosis]:
        """Yield the run when a batch is far smaller than the others; once, though every epoch has one."""
        size = step.run(Signal.BATCH_SIZE) or 0.0
        is_smaller, self.usual = size < self.usual, max(self.usual, size)
        layers = [
            (layer, samples)
            for layer, samples in step.layers(Signal.NORM_SAMPLES)
            if layer.kind != "SyncBatchNorm"
        ]
        if self.is_told or not is_smaller or not layers:
            return
        layer, samples = min(layers, key=lambda pair: pair[1])
        if size != 1 and samples > self.samples:
            return
        self.is_told = True
        yield rule.seen(
            step.number,
            step.facts.run,
            f"a batch of {size:.0f} came after batches of {self.usual:.0f}, so that {named(layer)}"
            f" normalised over {samples:.0f} values per channel: its statistics are their noise",
            remedy="pass `drop_last=True` to the training's `DataLoader`, or a batch size that divides the"
            " number of examples better",
            evidence=(Evidence("examples in the batch", size, self.samples, Signal.BATCH_SIZE),),
        )
