"""A batch normalisation normalises over one or two values, which leaves nothing of them."""

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

rule = Rule(__name__, "TL651", Severity.WARNING)


@rule.detector
@dataclass
class Detector:
    """Looks at how many values of each channel a batch normalisation has had at most."""

    needs: ClassVar[tuple[str, ...]] = (Signal.NORM_SAMPLES,)
    samples: int = 2  # two values become -1 and 1 whatever they were
    most: dict[str, float] = field(default_factory=dict, init=False)

    def observe(self, step: Step) -> Iterator[Diagnosis]:
        """Yield the normalisations that see too few values in their first step."""
        for layer, samples in step.layers(Signal.NORM_SAMPLES):
            if layer.kind == "SyncBatchNorm":  # it has the values of the other ranks too
                continue
            is_first = layer.name not in self.most
            self.most[layer.name] = max(samples, self.most.get(layer.name, 0.0))
            if is_first and samples <= self.samples:
                yield rule.seen(
                    step.number,
                    layer,
                    f"{named(layer)} normalises each channel over {samples:.0f} values of a batch (bound"
                    f" {self.samples}): what differs between examples is lost",
                    remedy=f"replace `{layer.name}` by `nn.GroupNorm` or `nn.LayerNorm`, which need no"
                    " batch, or train with batches of over 20; accumulating gradients does not help",
                    evidence=(
                        Evidence("values per channel", samples, self.samples, Signal.NORM_SAMPLES),
                    ),
                )
