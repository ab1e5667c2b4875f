"""Adagrad trains a deep network: its steps only shrink, and often stop before it has arrived."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trainlint.core.diagnosis import Diagnosis, Severity
from trainlint.core.rule import Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trainlint.static.model import FileModel

rule = Rule(__name__, "TL409", Severity.WARNING)


@rule.check
def check(
    file: FileModel,
    *,
    layers: int = 3,  # deep, for Duchi's convex guarantees
) -> Iterator[Diagnosis]:
    """Find Adagrad on models that are seen to have that many layers with weights."""
    if file.speaks_of("embed"):
        return
    for optimizer in file.optimizers():
        if optimizer.kind != "Adagrad" or not optimizer.is_torch:
            continue
        depth = sum(layer.is_linear or layer.is_recurrent for layer in optimizer.layers)
        if depth < layers or optimizer.call.expected_to_fail:
            continue
        yield rule.at(
            optimizer,
            f"{optimizer.call.called.quoted} divides each step by a sum of squares that only grows, and"
            f" on the {depth} layers of this network it often stops too early.",
            remedy="Use Adam or RMSProp, which forget old gradients.",
            label=f"Adagrad on {depth} layers",
            related=[(optimizer.models[0], "the network")],
        )
