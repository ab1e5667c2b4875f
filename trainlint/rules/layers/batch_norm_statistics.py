"""The running statistics of a batch normalisation are not those of the data it is given."""

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

rule = Rule(__name__, "TL650", Severity.WARNING, explained_by=("eval-mode-training", "tiny-batch"))

PROVEN = 3
"""How many times as long a layer must run on statistics that were never updated."""


@rule.detector
@dataclass
class Detector:
    """Compares running with batch statistics, and looks at how many values make those."""

    needs: ClassVar[tuple[str, ...]] = (Signal.TRAINING,)
    share: float = 0.1
    updates: int = 200
    samples: int = 4
    tiny: int = 2  # fewer are for `tiny-batch` and `last-batch-of-one`
    patience: int = 10
    far: Streaks = field(init=False)
    few: Streaks = field(init=False)
    unset: Streaks = field(init=False)

    def __post_init__(self) -> None:
        self.far, self.few = Streaks(self.patience), Streaks(self.patience)
        self.unset = Streaks(PROVEN * self.patience)

    def observe(self, step: Step) -> Iterator[Diagnosis]:
        """Yield the layers whose statistics will not serve in evaluation."""
        drifts, updates = step.of(Signal.NORM_DRIFT), step.of(Signal.NORM_UPDATES)
        samples = step.of(Signal.NORM_SAMPLES)
        for layer, training in step.layers(Signal.TRAINING):
            if not layer.is_norm:
                continue
            drift, count = drifts.get(layer.name, 0.0), updates.get(layer.name)
            # Two optimizers that take turns show a discriminator two kinds of batches.
            is_far = drift > self.share and not step.facts.alternates
            is_old = training == 1 and count is not None and count > self.updates
            if self.far.seen(layer.name, is_bad=is_far and is_old):
                yield self._drifted(step, layer, drift)
            is_unset = training == 0 and count == 0
            if self.unset.seen(layer.name, is_bad=is_far and is_unset):
                yield self._never_updated(step, layer, drift)
            values = samples.get(layer.name, self.samples + 1)
            is_few = self.tiny < values <= self.samples and layer.kind != "SyncBatchNorm"
            if self.few.seen(layer.name, is_bad=is_few):
                yield self._few(step, layer, values)

    def _drifted(self, step: Step, layer: Layer, drift: float) -> Diagnosis:
        """Say that the running statistics do not follow."""
        return rule.seen(
            step.number,
            layer,
            f"the running mean of {named(layer)} lies over 3 standard deviations from the batch's in"
            f" {drift:.0%} of the channels (bound {self.share:.0%}) after more than {self.updates} updates:"
            " in evaluation it computes something else",
            remedy=f"give `{layer.name}` torch's `momentum=0.1` (1 minus what Keras calls so),"
            " or `nn.GroupNorm`, which keeps no statistics",
            evidence=(Evidence("channels off", drift, self.share, Signal.NORM_DRIFT),),
        )

    def _never_updated(self, step: Step, layer: Layer, drift: float) -> Diagnosis:
        """Say that the running statistics are those of the construction."""
        return rule.seen(
            step.number,
            layer,
            f"{named(layer)} runs in evaluation mode on running statistics that were never updated, and"
            f" {drift:.0%} of its channels lie over 3 standard deviations off (bound {self.share:.0%})",
            remedy=f"load the statistics with the checkpoint, or let `{layer.name}` run in training mode"
            " before it is frozen",
            evidence=(Evidence("channels off", drift, self.share, Signal.NORM_DRIFT),),
        )

    def _few(self, step: Step, layer: Layer, values: float) -> Diagnosis:
        """Say that a batch has too few values for statistics."""
        return rule.seen(
            step.number,
            layer,
            f"{named(layer)} normalises each channel over {values:.0f} values of a batch (bound"
            f" {self.samples}): its statistics are mostly noise",
            remedy=f"train with batches of over 20, or replace `{layer.name}` by `nn.GroupNorm` or"
            " `nn.LayerNorm`",
            evidence=(Evidence("values per channel", values, self.samples, Signal.NORM_SAMPLES),),
        )
