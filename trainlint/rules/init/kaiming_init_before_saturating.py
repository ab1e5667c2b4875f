"""Kaiming initialisation carries the gain of ReLU, and its layer feeds a tanh or a sigmoid."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trainlint.core.diagnosis import Diagnosis, Severity
from trainlint.core.fix import Fix, Safety
from trainlint.core.rule import Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trainlint.static.model import FileModel, InitCall

rule = Rule(__name__, "TL102", Severity.WARNING, fixable=Safety.UNSAFE)

_KINDS = {"Tanh": "tanh", "Sigmoid": "sigmoid"}
_MOST = 2.0
"""No rectifier has such a gain; 4 is one that is made for sigmoids (Bengio 2012)."""


@rule.check
def check(
    file: FileModel,
    *,
    gain: float = 1.3,  # He 2015: 1.41 for ReLU
) -> Iterator[Diagnosis]:
    """Find weights with the gain of a rectifier in front of hidden tanh and sigmoid units."""
    for init in file.init_calls():
        recipe = init.recipe
        if init.parameter == "bias" or recipe is None or recipe.fan == "average":
            continue
        if not gain <= recipe.gain < _MOST or init.nonlinearity not in {"relu", "leaky_relu"}:
            continue
        pairs = init.activated
        kinds = {pair.activation.kind for pair in pairs}
        if len(kinds) != 1 or not kinds <= _KINDS.keys():
            continue
        if not all(pair.is_hidden and not pair.is_normalised for pair in pairs):
            continue
        name = _KINDS[kinds.pop()]
        yield rule.at(
            init,
            f"{init.call.quoted} draws weights with the gain of ReLU, {recipe.gain:.2f}, and what "
            f"the layer puts out goes into {pairs[0].activation.at.quoted}, which saturates.",
            label="made for ReLU",
            related=[(pairs[0].activation.at, f"feeds this {name}")],
            remedy="Use Xavier initialisation with the gain of the activation: `nn.init."
            f'xavier_normal_(weight, gain=nn.init.calculate_gain("{name}"))`.',
            fix=_xavier(init, name),
        )


def _xavier(init: InitCall, activation: str) -> Fix | None:
    """Return the same call with Xavier initialisation, where it is written as ``init.kaiming_…``."""
    module, tensor = init.call.receiver, init.argument("tensor")
    if init.is_method or module is None or tensor is None or "kaiming" not in init.scheme:
        return None
    scheme = init.scheme.replace("kaiming", "xavier")
    gain = f', gain={module.source_text}.calculate_gain("{activation}")'
    text = f"{module.source_text}.{scheme}_({tensor.source_text}{gain if activation == 'tanh' else ''})"
    return Fix("Use Xavier initialisation", Safety.UNSAFE, (init.call.replaced_by(text),))
