"""Gradients relative to the weights that they are to change, layer by layer and with depth."""

from __future__ import annotations

import itertools
import math
from collections import defaultdict
from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING

from trainlint.runtime.judging.remedies import named
from trainlint.runtime.signals import RECTIFYING, Layer, Parameter, Role, Signal

if TYPE_CHECKING:
    from collections.abc import Sequence

    from trainlint.runtime.signals import Step


@dataclass(frozen=True, slots=True)
class Relative:
    """What a layer's weight is given, over its own size."""

    parameter: Parameter
    gradient: float
    """The root mean square of the gradient."""
    ratio: float
    """That over the root mean square of the weight."""


def has_dead_layer(step: Step, share: float) -> bool:
    """Say whether more than a share of some rectifier's units are dead, which stops the gradient there."""
    return any(
        dead > share and layer.activation in RECTIFYING
        for layer, dead in step.layers(Signal.DEAD_UNITS)
    )


def relative_gradients(step: Step) -> list[list[Relative]]:
    """Return the relative gradient of each layer by depth, those of each optimizer apart.

    A layer with several weights counts with its largest. Biases, normalisations and embeddings are of
    other scales and left out, and so are weights and gradients that are exactly 0 or not finite.
    """
    sizes = step.of(Signal.WEIGHT_RMS)
    found: dict[int, dict[str, Relative]] = defaultdict(dict)
    for parameter, gradient in step.trained(Signal.GRADIENT_RMS):
        size = sizes.get(parameter.name, 0.0)
        if parameter.role is not Role.WEIGHT or parameter.depth < 0 or parameter.is_sparse:
            continue
        if not (0 < gradient < math.inf and 0 < size < math.inf):
            continue
        own = Relative(parameter, gradient, gradient / size)
        layers = found[parameter.optimizer]
        other = layers.get(parameter.layer)
        if own.ratio > 0 and (other is None or other.ratio < own.ratio):
            layers[parameter.layer] = own
    return [
        sorted(layers.values(), key=lambda one: one.parameter.depth) for layers in found.values()
    ]


def fall_with_depth(ratios: Sequence[float]) -> float:
    """Return the median of the first third over that of the last; layers in forward order."""
    third = max(1, len(ratios) // 3)
    late = median(ratios[-third:])
    return median(ratios[:third]) / late if late > 0 else math.inf


def is_gradual(ratios: Sequence[float], bound: float) -> bool:
    """Say whether ratios fall, or grow, from layer to layer and not in one place alone.

    Without the largest of its steps, what separates the first third from the last must still go half of
    the way to ``bound`` in powers of ten. One cliff is no chain of layers: the next branch begins there,
    as that of the value behind that of the policy, or a last layer that starts near 0.
    """
    fall = fall_with_depth(ratios)
    steps = [late / early for early, late in itertools.pairwise(ratios)]
    if bound < 1:
        return fall * max(steps, default=1.0) < math.sqrt(bound)
    return fall * min(steps, default=1.0) > math.sqrt(bound)


def slope_with_depth(ratios: Sequence[float]) -> float:
    """Return by how many powers of ten the ratios grow from layer to layer, by least squares."""
    logs = [math.log10(max(one, 1e-300)) for one in ratios]
    count = len(logs)
    if count < 2:  # noqa: PLR2004 - a line needs two points
        return 0.0
    middle, level = (count - 1) / 2, sum(logs) / count
    spread = sum((at - middle) ** 2 for at in range(count))
    return sum((at - middle) * (log - level) for at, log in enumerate(logs)) / spread


def subject_of(step: Step, parameter: Parameter) -> Layer | Parameter:
    """Return the layer that a parameter belongs to, or itself where that was not seen to run."""
    return step.facts.layer.get(parameter.layer, parameter)


def described(subject: Layer | Parameter) -> str:
    """Say which layer is meant, or the layer of which parameter."""
    if isinstance(subject, Layer):
        return named(subject)
    place = f", {subject.path.rpartition('/')[2]}:{subject.line}" if subject.line else ""
    return f"`{subject.layer or subject.name}` ({subject.kind}{place})"
