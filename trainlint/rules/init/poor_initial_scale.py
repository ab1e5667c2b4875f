"""The signal grows or shrinks so much on its way through freshly initialised layers that it is lost."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar

from trainlint.core.diagnosis import Evidence, Severity
from trainlint.core.rule import Rule
from trainlint.runtime.judging.remedies import initialisation, named
from trainlint.runtime.judging.updates import has_moved
from trainlint.runtime.signals import RECTIFYING, Signal

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from trainlint.core.diagnosis import Diagnosis
    from trainlint.runtime.signals import Layer, Step

rule = Rule(__name__, "TL150", Severity.WARNING)

HALVED = math.sqrt(0.5)
"""What a rectifier leaves of the RMS of what is spread evenly around 0 (He et al. 2015)."""


@dataclass(frozen=True, slots=True)
class _Way:
    """How far the signal has come: into the last layer of some, or out of it."""

    layers: Sequence[Layer]
    gains: Sequence[float]
    start: float
    end: float
    into: bool

    @property
    def total(self) -> float:
        """The logarithm of the factor by which all layers together change it, the smaller of the two.

        Of what is measured at both ends, and of the product of what each layer does to its own
        input: a residual branch lowers only the second, another input only the first.
        """
        seen, own = math.log(self.end / self.start), math.fsum(map(math.log, self.gains))
        return min(seen, own, key=abs) if seen * own > 0 else 0.0


@rule.detector
@dataclass
class Detector:
    """Follows the RMS of the signal from layer to layer in the first step that is measured."""

    needs: ClassVar[tuple[str, ...]] = (Signal.RMS, Signal.INPUT_RMS)
    total: float = 100.0  # 1e4 in variance; torch's defaults stay within over eight layers
    each: float = 3.0  # torch's own defaults shrink by 2.4 before a ReLU, and train
    is_over: bool = field(default=False, init=False)

    def observe(self, step: Step) -> Iterator[Diagnosis]:
        """Yield the layer that changes the scale most, in each run of layers that loses the signal."""
        if self.is_over:
            return
        self.is_over = True
        if has_moved(step):
            return
        for chain in _chains(step):
            worst = max(_ways(step, chain), key=lambda way: abs(way.total), default=None)
            if worst is None or not self._is_lost(worst) or self._is_branch(step, worst):
                continue
            sign = math.copysign(1.0, worst.total)
            gain, layer = max(
                zip(worst.gains, worst.layers, strict=False),
                key=lambda pair: sign * math.log(pair[0]),
            )
            bound = self.total if sign > 0 else 1 / self.total
            last = worst.layers[-1]
            others = sum(sign * math.log(one) > math.log(self.each) for one in worst.gains)
            others -= gain > self.each if sign > 0 else gain < 1 / self.each
            yield rule.seen(
                step.number,
                layer,
                f"the RMS of the signal {'grows' if sign > 0 else 'shrinks'} at initialisation from"
                f" {worst.start:.2g} into `{worst.layers[0].name}` to {worst.end:.2g}"
                f" {'into' if worst.into else 'out of'} `{last.name}`, by a factor of"
                f" {worst.end / worst.start:.2g} (bound {bound:g})",
                remedy=f"give {named(layer)}, which multiplies it by {gain:.2g},"
                f" {initialisation(layer)}"
                + (f"; {others} other layers need their own" if others > 1 else ""),
                evidence=(
                    Evidence("signal at the end over the start", worst.end / worst.start, bound),
                    Evidence("gain of the layer", gain, None, Signal.RMS),
                ),
            )

    def _is_branch(self, step: Step, way: _Way) -> bool:
        """Say whether the signal is large again in the norm behind: a small branch is added to it."""
        behind = (one for one in step.facts.layers if one.depth > way.layers[-1].depth)
        norm = next((one for one in behind if one.is_norm or one.weight), None)
        if norm is None or not norm.is_norm or way.total > 0:
            return False
        given = step.of(Signal.INPUT_RMS).get(norm.name, 0.0)
        return given > way.end and given * self.total > way.start

    def _is_lost(self, way: _Way) -> bool:
        """Say whether the factor is far from 1, and not merely that of many ordinary layers."""
        total, bound = abs(way.total), math.log(self.total)
        is_steep = total > len(way.gains) * math.log(self.each)
        return total > bound and (is_steep or total > 2 * bound)


def _chains(step: Step) -> Iterator[list[Layer]]:
    """Yield the layers with weights that follow each other without a normalisation between them."""
    given, made = step.of(Signal.INPUT_RMS), step.of(Signal.RMS)
    chain: list[Layer] = []
    for layer in step.facts.layers:
        if layer.is_norm or layer.is_recurrent:
            yield chain
            chain = []
        elif layer.weight:
            ends = (given.get(layer.name, 0.0), made.get(layer.name, 0.0))
            if all(math.isfinite(one) and one > 0 for one in ends):
                chain.append(layer)
            else:  # zero on purpose, or indices
                yield chain
                chain = []
    yield chain


def _ways(step: Step, chain: Sequence[Layer]) -> Iterator[_Way]:
    """Yield how the signal comes from the first layer into each other, and out of the prediction."""
    given, made = step.of(Signal.INPUT_RMS), step.of(Signal.RMS)
    gains: list[float] = []
    for at, layer in enumerate(chain):
        start = given[chain[0].name]
        if at:
            yield _Way(chain[: at + 1], tuple(gains), start, given[layer.name], into=True)
        passes = HALVED if layer.followed_by in RECTIFYING else 1.0
        gains.append(passes * made[layer.name] / given[layer.name])
        out = made[layer.name]
        if at and layer.is_output and out > start:  # a small last layer is a good start
            yield _Way(chain[: at + 1], tuple(gains), start, out, into=False)
