"""The outputs of a saturating activation lie in its flat part, where hardly any gradient passes."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar, Final

from trainlint.core.diagnosis import Evidence, Severity
from trainlint.core.rule import Rule
from trainlint.runtime.judging.remedies import initialisation, named, rate_over
from trainlint.runtime.judging.streaks import Streaks
from trainlint.runtime.judging.updates import has_moved
from trainlint.runtime.signals import SATURATING, Activation, Signal

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trainlint.core.diagnosis import Diagnosis
    from trainlint.runtime.signals import Layer, Step

rule = Rule(
    __name__,
    "TL251",
    Severity.WARNING,
    explained_by=("unnormalised-input", "vanishing-gradient", "exploding-gradient"),
)

GATES: Final = ("att", "gate", "router", "squeeze", "mask", "excit")
"""In the name of what is meant to be open or shut; attention has a rule of its own."""
LARGE: Final = 10.0
"""An input of this size saturates whatever the initialisation is."""


@rule.detector
@dataclass
class Detector:
    """Looks at the flat share of each hidden activation, in the order of the forward pass."""

    needs: ClassVar[tuple[str, ...]] = (Signal.SATURATED,)
    share: float = 0.5
    units: float = 0.3  # that are flat for every sample: Glorot & Bengio 2010 show whole layers
    samples: int = 100  # fewer in a batch prove nothing about a unit
    patience: int = 5
    first: dict[str, float] = field(default_factory=dict, init=False)

    def __post_init__(self) -> None:
        self.streaks = Streaks(self.patience)
        self.has_moved: bool | None = None
        self.said: set[str] = set()

    def observe(self, step: Step) -> Iterator[Diagnosis]:
        """Yield the first layer that is saturated; those behind it often are because of it."""
        if self.has_moved is None:
            self.has_moved = has_moved(step)
        units = step.of(Signal.SATURATED_UNITS)
        has_samples = (step.run(Signal.BATCH_SIZE) or 0) >= self.samples
        ready: list[tuple[Layer, float, float]] = []
        for layer, flat in step.layers(Signal.SATURATED):
            if layer.is_output or _is_gate(step, layer):
                continue
            always = units.get(layer.name, 0.0) if has_samples else 0.0
            self.first.setdefault(layer.name, flat)
            is_bad = flat > self.share or always > self.units
            if self.streaks.seen(layer.name, is_bad=is_bad):
                ready.append((layer, flat, always))
            elif not is_bad:
                self.said.discard(layer.name)
        if ready and not self.said:
            yield self._said(step, *ready[0], others=len(ready) - 1)
        self.said.update(layer.name for layer, _, _ in ready)

    def _said(
        self, step: Step, layer: Layer, flat: float, always: float, *, others: int
    ) -> Diagnosis:
        """Make the diagnosis of a layer."""
        more = f", and of {others} other layers," if others else ""
        if flat > self.share:
            evidence = Evidence("outputs in the flat part", flat, self.share, Signal.SATURATED)
            what = (
                f"{flat:.0%} of the outputs of {named(layer)}{more} lie in the flat part"
                f" (bound {self.share:.0%})"
            )
        else:
            evidence = Evidence("units always flat", always, self.units, Signal.SATURATED_UNITS)
            what = (
                f"{always:.0%} of the units of {named(layer)}{more} lie in the flat part for every sample"
                f" (bound {self.units:.0%})"
            )
        return rule.seen(
            step.number,
            layer,
            f"{what} for {self.patience} measured steps in a row: hardly any gradient passes",
            remedy=self._remedy(step, layer),
            evidence=(evidence,),
        )

    def _remedy(self, step: Step, layer: Layer) -> str:
        """Say what to do, by what makes the activation's input large."""
        before = step.facts.before(layer)
        if before is None:
            return "divide what this activation is given by its standard deviation"
        given = step.of(Signal.INPUT_RMS).get(before.name, 0.0)
        if given > LARGE:
            return (
                f"the input of {named(before)} has a root mean square of {given:.3g}: standardise it to"
                " mean 0 and variance 1, or put a normalisation in front"
            )
        if self.first.get(layer.name, 0.0) > self.share and self.has_moved:
            return f"try {rate_over(step, 10)}, for the first steps have changed the weights beyond use"
        if self.first.get(layer.name, 0.0) > self.share:
            return f"give {named(before)} {initialisation(before)}"
        return (
            f"put a normalisation (`nn.LayerNorm`, `nn.BatchNorm1d`) between {named(before)} and this"
            " activation, use `nn.GELU` or `nn.ReLU` here, or lower the learning rate"
        )


def _is_gate(step: Step, layer: Layer) -> bool:
    """Say whether an activation is one that is meant to be flat, or none that this rule is about.

    A sigmoid that runs several times in a step is the gate of a recurrent cell. A softmax is only
    judged as a module, for as a function it is mostly that of an attention.
    """
    name = layer.name.lower()
    if any(one in name for one in GATES):
        return True
    if layer.activation is Activation.SOFTMAX:
        return not layer.kind.startswith("Softmax")
    runs = step.of(Signal.CALLS).get(layer.name, 1.0)
    if runs > 1 and layer.activation in {Activation.SIGMOID, Activation.HARDSIGMOID}:
        return True
    return layer.activation not in SATURATING
