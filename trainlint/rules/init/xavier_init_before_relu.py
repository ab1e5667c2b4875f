"""Xavier initialisation feeds a ReLU, which halves the signal at every layer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trainlint.core.diagnosis import Diagnosis, Severity
from trainlint.core.fix import Fix, Safety
from trainlint.core.rule import Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trainlint.static.model import FileModel, InitCall, Step

rule = Rule(__name__, "TL103", Severity.WARNING, fixable=Safety.UNSAFE)

_RELU_FAMILY = {"ReLU", "ReLU6", "LeakyReLU", "PReLU", "RReLU", "ELU", "CELU"}


@rule.check
def check(
    file: FileModel,
    *,
    gain: float = 1.2,  # He 2015: 1.41 for ReLU
) -> Iterator[Diagnosis]:
    """Find Glorot's variance, without the gain of a rectifier, in front of rectifiers."""
    if file.serves_tests or _is_of_transformers(file):
        return
    for init in file.init_calls():
        recipe = init.recipe
        if init.parameter != "weight" or recipe is None or recipe.fan != "average":
            continue
        pairs = init.activated
        if recipe.gain >= gain or not pairs:
            continue
        if not all(
            pair.activation.kind in _RELU_FAMILY and not pair.is_normalised for pair in pairs
        ):
            continue
        activation = pairs[0].activation
        yield rule.at(
            init,
            f"{init.call.quoted} draws weights for an activation that is linear around 0, and what "
            f"the layer puts out goes into {activation.at.quoted}, which halves its variance.",
            label="made for tanh",
            related=[(activation.at, f"feeds this {activation.kind}")],
            remedy='Use Kaiming initialisation: `nn.init.kaiming_normal_(weight, nonlinearity="relu")`, '
            "or give Xavier the gain of the activation.",
            fix=_kaiming(init, {_told(pair.activation) for pair in pairs}),
        )


def _is_of_transformers(file: FileModel) -> bool:
    """Say whether the file builds blocks of attention and layer norm, whose convention is Xavier's."""
    return file.speaks_of("attention|attn") and file.speaks_of("layer_?norm")


def _told(activation: Step) -> str | None:
    """Return how Kaiming initialisation is told of an activation; None where it cannot be."""
    slope = activation.slope
    if slope is None:
        return None
    return f"a={slope:g}" if slope else 'nonlinearity="relu"'


def _kaiming(init: InitCall, told: set[str | None]) -> Fix | None:
    """Return the same call with Kaiming initialisation, where it is written as ``init.xavier_…``."""
    module, tensor = init.call.receiver, init.argument("tensor")
    if init.is_method or module is None or tensor is None or "xavier" not in init.scheme:
        return None
    words = told.pop() if len(told) == 1 else None
    if words is None:
        return None
    scheme = init.scheme.replace("xavier", "kaiming")
    text = f"{module.source_text}.{scheme}_({tensor.source_text}, {words})"
    return Fix("Use Kaiming initialisation", Safety.UNSAFE, (init.call.replaced_by(text),))
