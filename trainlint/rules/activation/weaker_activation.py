"""A hidden layer uses sigmoid or tanh where a stronger activation is known."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trainlint.core.diagnosis import Diagnosis, Severity
from trainlint.core.rule import Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trainlint.static.model import FileModel

rule = Rule(__name__, "TL206", Severity.ADVICE)

# From weak to strong: Klambauer 2017, Clevert 2015.
_STRENGTH = {"Sigmoid": 0, "Tanh": 1, "ReLU": 2, "LeakyReLU": 3, "ELU": 4, "SELU": 5}
_NAMES = ("sigmoid", "tanh", "relu", "leaky_relu", "elu", "selu")


@rule.check
def check(
    file: FileModel,
    *,
    weakest: str = "relu",  # today's plain default
) -> Iterator[Diagnosis]:
    """Find hidden activations that are weaker than the weakest that is accepted."""
    least = _NAMES.index(weakest) if weakest in _NAMES else _STRENGTH["ReLU"]
    seen = set()
    for pair in file.activated():
        activation = pair.activation
        if not pair.is_hidden or _STRENGTH.get(activation.kind, least) >= least:
            continue
        if activation.at in seen or file.suits_tanh([activation]):
            continue
        seen.add(activation.at)
        stronger = ", ".join(_NAMES[least:][::-1])
        yield rule.at(
            activation.at,
            f"The hidden layer {pair.layer.call.quoted} goes into {activation.at.quoted}, which is "
            f"harder to train than {stronger}, GELU or SiLU.",
            label="a weaker activation",
            remedy="Try GELU or SiLU with normalisation, or ReLU with Kaiming initialisation.",
        )
