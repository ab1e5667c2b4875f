"""A hidden layer returns nearly the same for every sample of the batch."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar, Final

from trainlint.core.diagnosis import Evidence, Severity
from trainlint.core.rule import Rule
from trainlint.runtime.judging.remedies import initialisation, named, rate_over
from trainlint.runtime.judging.streaks import Streaks
from trainlint.runtime.signals import RECTIFYING, Signal

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trainlint.core.diagnosis import Diagnosis
    from trainlint.runtime.signals import Layer, Step

rule = Rule(
    __name__,
    "TL253",
    Severity.WARNING,
    explained_by=(
        "dead-relu",
        "saturated-activation",
        "vanishing-gradient",
        "exploding-gradient",
        "poor-initial-scale",
        "unnormalised-input",
        "constant-input",
    ),
)

NEAR: Final = 100.0
"""How far above the bound the layers behind may lie; above it they have samples from somewhere else."""
DECAYED: Final = 1e-3


@rule.detector
@dataclass
class Detector:
    """Follows the variance over the batch, relative to the mean square, through the forward pass."""

    needs: ClassVar[tuple[str, ...]] = (Signal.BATCH_VARIANCE, Signal.RMS)
    bound: float = 1e-6
    patience: int = 5
    dead: float = 0.5
    at_start: bool | None = field(default=None, init=False)

    def __post_init__(self) -> None:
        self.streaks = Streaks(self.patience)
        self.told: set[str] = set()

    def observe(self, step: Step) -> Iterator[Diagnosis]:
        """Yield the first layer behind which all samples look the same."""
        found = None if self._has_dead_units(step) else self._first_collapsed(step)
        if self.at_start is None:
            self.at_start = found is not None
        for name in tuple(self.streaks.running):
            if found is None or name != found[0].name:
                self.streaks.good(name)
        if found is None:
            return
        layer, spread = found
        if self.streaks.bad(layer.name) and layer.name not in self.told:
            self.told.add(layer.name)
            yield rule.seen(
                step.number,
                layer,
                f"what {named(layer)} returns varies over the batch by {spread:.1e} of its mean square"
                f" (bound {self.bound:.0e}) for {self.patience} measured steps in a row: all samples look"
                " the same to what comes behind it",
                remedy=_remedy(step, layer, at_start=self.at_start),
                evidence=(
                    Evidence(
                        "variance over mean square", spread, self.bound, Signal.BATCH_VARIANCE
                    ),
                ),
            )

    def _first_collapsed(self, step: Step) -> tuple[Layer, float] | None:
        """Return the layer that loses the samples: all behind it have lost them, one before it has not.

        A layer that is conditioned on a constant has nobody before it, or samples behind it.
        """
        found = None
        is_varied = False
        scales = step.of(Signal.RMS)
        for layer, spread in step.layers(Signal.BATCH_VARIANCE):
            if found is not None:
                if spread > NEAR * self.bound:
                    return None
            elif spread >= self.bound:
                is_varied = True
            elif spread < self.bound and scales.get(layer.name, 0.0) > 0 and not layer.is_output:
                if not is_varied:
                    return None
                found = layer, spread
        return found

    def _has_dead_units(self, step: Step) -> bool:
        """Say whether dead units are why nothing varies; that takes its rule longer to say."""
        return any(
            dead > self.dead and layer.activation in RECTIFYING
            for layer, dead in step.layers(Signal.DEAD_UNITS)
        )


def _remedy(step: Step, layer: Layer, *, at_start: bool) -> str:
    """Say what to do, by when it began and what holds the weights down."""
    own = layer if layer.weight else step.facts.before(layer)
    parameter = None if own is None else step.facts.parameter.get(own.weight)
    decay = 0.0 if parameter is None else parameter.weight_decay
    if decay > DECAYED and own is not None:
        return (
            f"weight decay of {decay:g} has shrunk `{own.weight}` until only the bias is left: try"
            f" {decay / 100:.1g}"
        )
    if at_start and own is not None:
        return (
            f"it was so from the first step: give {named(own)} and the layers before it"
            f" {initialisation(own)} and biases of 0, or put a normalisation behind each"
        )
    return (
        f"try {rate_over(step, 3)}; check that the loss does not reward equal outputs, as a distance"
        " between two views does without negatives or a stopped gradient; or put a normalisation over the"
        " batch (`nn.BatchNorm1d`) behind this layer"
    )
