"""SELU normalises itself only if the weights start with the variance 1 / fan_in (LeCun initialisation)."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from trainlint.core.diagnosis import Diagnosis, Severity
from trainlint.core.fix import Fix, Safety
from trainlint.core.rule import Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trainlint.static.model import FileModel, InitCall, Layer

rule = Rule(__name__, "TL105", Severity.WARNING, fixable=Safety.UNSAFE)

_REMEDY = (
    'Use LeCun initialisation, `nn.init.kaiming_normal_(weight, nonlinearity="linear")`, and set the '
    "biases to 0."
)


@rule.check
def check(
    file: FileModel,
    *,
    tolerance: float = 0.1,  # as for slopes
    layers: int = 2,  # one layer cannot drift
) -> Iterator[Diagnosis]:
    """Find wrong initialisations of layers that feed a SELU, and stacks that nothing initialises."""
    fed = [pair for pair in file.activated() if pair.activation.kind == "SELU"]
    plain = [pair for pair in fed if not pair.is_normalised]
    if not plain:
        return
    for init in file.init_calls():
        pairs = [pair for pair in init.activated if pair.activation.kind == "SELU"]
        if init.parameter == "bias" or not pairs or len(pairs) < len(init.activated):
            continue
        ratios = [_deviation(init, pair.layer) for pair in pairs if not pair.is_normalised]
        known = [ratio for ratio in ratios if ratio is not None]
        if not known or all(abs(ratio - 1.0) <= tolerance for ratio in known):
            continue
        worst = max(known, key=lambda ratio: abs(math.log(ratio)))
        yield rule.at(
            init,
            f"{init.call.quoted} draws weights with {worst:.2f} times the standard deviation that "
            f"{pairs[0].activation.at.quoted} after them needs to normalise itself.",
            label="not LeCun initialisation",
            related=[(pairs[0].activation.at, "feeds this SELU")],
            remedy=_REMEDY,
            fix=_linear(init),
        )
    if len({pair.layer for pair in plain}) >= layers and not file.touches_weights:
        first = min(plain, key=lambda pair: pair.activation.at.order).activation
        yield rule.at(
            first.at,
            f"{first.at.quoted} follows layers with PyTorch's default initialisation, whose variance "
            "is a third of what SELU needs to normalise itself.",
            label="not initialised for SELU",
            remedy=_REMEDY,
        )


def _deviation(init: InitCall, layer: Layer) -> float | None:
    """Return the standard deviation of the weights in units of 1 / sqrt(fan_in), if known."""
    recipe = init.recipe
    if recipe is None:
        return None
    if recipe.fan == "in":
        return recipe.gain
    fan_in, fan_out = layer.fan_in, layer.fan_out
    if fan_in is None or fan_out is None or recipe.fan == "?":
        return None
    fan = fan_out if recipe.fan == "out" else (fan_in + fan_out) / 2
    return recipe.gain * math.sqrt(fan_in / fan)


def _linear(init: InitCall) -> Fix | None:
    """Return the edit of the one argument that is wrong, where it is `nonlinearity="selu"`."""
    told = init.argument("nonlinearity")
    if told is None or init.nonlinearity != "selu":
        return None
    return Fix("Take the gain of SELU away", Safety.UNSAFE, (told.replaced_by('"linear"'),))
