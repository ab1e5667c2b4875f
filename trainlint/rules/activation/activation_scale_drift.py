"""Activations grow or shrink by orders of magnitude, with depth or while training goes on."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar, Final

from trainlint.core.diagnosis import Evidence, Severity
from trainlint.core.rule import Rule
from trainlint.runtime.judging.remedies import initialisation, named, rate_over
from trainlint.runtime.judging.streaks import Streaks
from trainlint.runtime.signals import Signal

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trainlint.core.diagnosis import Diagnosis
    from trainlint.runtime.signals import Layer, Step

rule = Rule(
    __name__,
    "TL252",
    Severity.WARNING,
    explained_by=(
        "poor-initial-scale",
        "vanishing-gradient",
        "exploding-gradient",
        "diverging-loss",
        "dead-relu",
        "collapsed-representation",
    ),
)

SEVERAL: Final = 3
"""From how many hidden layers on one speaks of depth."""
SMALL: Final = 0.01
"""What is smaller than this at first has only begun to be used: a residual branch that starts at 0."""
EQUAL: Final = 3.0
"""Layers that hand on their input's scale keep it within this factor: the stream grows beside them."""


@rule.detector
@dataclass
class Detector:
    """Compares the scale of the hidden layers' outputs with each other, and with what it was."""

    needs: ClassVar[tuple[str, ...]] = (Signal.RMS,)
    depth: float = 1e3  # Glorot & Bengio 2010 and He 2015 keep the ratio near 1
    time: float = 100.0
    since: int = 100
    patience: int = 5
    start: dict[str, float] = field(default_factory=dict, init=False)

    def __post_init__(self) -> None:
        self.streaks = Streaks(self.patience)

    def observe(self, step: Step) -> Iterator[Diagnosis]:
        """Yield the layer at which the scale has gone astray."""
        hidden = [
            (layer, scale)
            for layer, scale in step.layers(Signal.RMS)
            if layer.weight
            and not (layer.is_norm or layer.is_output or layer.kind.startswith("Embedding"))
            and 0 < scale < math.inf
        ]
        yield from self._with_depth(step, hidden)
        yield from self._with_time(step, hidden)

    def _with_depth(self, step: Step, hidden: list[tuple[Layer, float]]) -> Iterator[Diagnosis]:
        """Compare the last hidden layer with the first."""
        if len(hidden) < SEVERAL:
            return
        (first, small), (last, large) = hidden[0], hidden[-1]
        times = large / small
        if not self.streaks.seen("", is_bad=not 1 / self.depth <= times <= self.depth):
            return
        way = "grows" if times > 1 else "shrinks"
        yield rule.seen(
            step.number,
            last,
            f"the activations' root mean square {way} with depth, from {small:.2g} at {named(first)} to"
            f" {large:.2g} at {named(last)} (bound a factor of {self.depth:.0e}), for {self.patience}"
            " measured steps in a row",
            remedy=_with_depth_remedy(step, hidden),
            evidence=(Evidence("last over first", times, self.depth, Signal.RMS),),
        )

    def _with_time(self, step: Step, hidden: list[tuple[Layer, float]]) -> Iterator[Diagnosis]:
        """Compare each hidden layer with what it was; those behind the first to grow follow it."""
        if step.number < self.since:
            return
        grown = []
        for layer, scale in hidden:
            start = self.start.setdefault(layer.name, max(scale, SMALL))
            if self.streaks.seen(layer.name, is_bad=scale > self.time * start):
                grown.append((layer, scale, start))
        if grown:
            layer, scale, start = grown[0]
            more = f" ({len(grown) - 1} other layers grow with it)" if len(grown) > 1 else ""
            yield rule.seen(
                step.number,
                layer,
                f"the root mean square of what {named(layer)} returns has grown from {start:.2g} at step"
                f" {self.since} to {scale:.3g}{more}, over {self.time:g} times",
                remedy=(
                    f"try {rate_over(step, 3)}, a weight decay on `{layer.weight}`, or a normalisation"
                    " behind this layer"
                ),
                evidence=(Evidence("growth", scale / start, self.time, Signal.RMS),),
            )


def _with_depth_remedy(step: Step, hidden: list[tuple[Layer, float]]) -> str:
    """Say what to do, by whether the layers themselves or sums around them change the scale."""
    given = step.of(Signal.INPUT_RMS)
    ratios = [
        scale / given[layer.name] for layer, scale in hidden if given.get(layer.name, 0.0) > 0
    ]
    if len(ratios) == len(hidden) and all(1 / EQUAL < one < EQUAL for one in ratios):
        return (
            "each layer keeps the scale, so the sums around them change it: multiply what each block adds"
            f" by {1 / math.sqrt(2 * len(hidden)):.2g} (1/sqrt(2·depth)), or normalise its input"
            " (`nn.LayerNorm`)"
        )
    layer = hidden[0][0]
    return (
        f"give {named(layer)} and each layer behind it {initialisation(layer)}, or put a normalisation"
        " (`nn.LayerNorm`, `nn.BatchNorm1d`) behind each"
    )
