"""Weights drawn with a standard deviation of 0.5 or more on a wide layer blow its outputs up."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trainlint.core.diagnosis import Diagnosis, Severity
from trainlint.core.fix import Fix, Safety
from trainlint.core.rule import Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trainlint.static.model import FileModel, InitCall, Layer

rule = Rule(__name__, "TL107", Severity.WARNING, fixable=Safety.UNSAFE)

_FOR_SIGMOID = 4
"""Its slope is at most 1/4: four times the weights of tanh keep gradients alive (Bengio 2012)."""


@rule.check
def check(
    file: FileModel,
    *,
    std: float = 0.5,  # He 2015: sqrt(2 / fan_in)
    fan_in: int = 64,  # gain 4 at std 0.5
) -> Iterator[Diagnosis]:
    """Find normal initialisations of wide layers with a large standard deviation."""
    for init in file.init_calls():
        if init.scheme != "normal" or init.parameter != "weight":
            continue
        given = init.argument("std")
        deviation = 1.0 if given is None and not init.call.is_open else init.number("std")
        if deviation is None or deviation < std:
            continue
        wide = [layer for layer in init.layers if (layer.fan_in or 0) >= fan_in]
        wide = [layer for layer in wide if not _is_rescaled(file, layer, init)]
        if not wide:
            continue
        layer = max(wide, key=lambda layer: layer.fan_in or 0)
        gain = deviation * (layer.fan_in or 0) ** 0.5
        yield rule.at(
            init,
            f"{init.call.quoted} draws weights of standard deviation {deviation:g} for "
            f"{layer.call.quoted}, which sums {layer.fan_in} inputs: what it puts out is {gain:.0f} "
            "times as large as what it takes in.",
            label=f"std {deviation:g}",
            related=[(layer, f"sums {layer.fan_in} inputs")],
            remedy=f"Use Kaiming or Xavier initialisation, or a std near {(layer.fan_in or 0) ** -0.5:.2g} "
            "(1 / sqrt(fan_in)).",
            fix=_smaller(init, std),
        )


def _is_rescaled(file: FileModel, layer: Layer, init: InitCall) -> bool:
    """Say whether something sets the scale of a layer anew, or nothing trains it."""
    if any(outlet.is_normalised for outlet in file.outlets(layer)) or file.is_frozen(layer):
        return True
    for call in file.passed_to(layer):
        callee = call.callee or ""
        if "norm" in callee or not (callee or call.target is not None):
            return True
        if callee and not callee.startswith(("torch.", "builtins.")):
            return True
        target = call.target
        if target is not None and init.call.site.scope.function is not target:
            return True
    return False


def _smaller(init: InitCall, limit: float) -> Fix | None:
    """Return the edit of the standard deviation: of one layer, or of each linear one by its own inputs."""
    weight = init.argument("tensor")
    if weight is not None and weight.name == "data":
        weight = weight.owner
    owner = None if weight is None or weight.name != "weight" else weight.owner
    if len(init.layers) == 1:
        std = f"{init.layers[0].fan_in}**-0.5"
    elif owner is not None and all(layer.kind == "Linear" for layer in init.layers):
        std = f"{owner.operand_text}.in_features**-0.5"
    else:
        return None
    pairs = init.activated
    narrowest = min((pair.layer.fan_in or 1 for pair in pairs), default=1)
    if all(pair.activation.kind == "Sigmoid" and pair.is_hidden for pair in pairs) and (
        _FOR_SIGMOID * narrowest**-0.5 < limit
    ):
        std = f"{_FOR_SIGMOID} * {std}"
    given = init.argument("std")
    edit = init.call.with_argument("std", std) if given is None else given.replaced_by(std)
    return Fix("Scale by the number of inputs", Safety.UNSAFE, (edit,))
