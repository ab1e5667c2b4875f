"""One weight decay is for all parameters, the scales of normalisation layers and the biases included."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trainlint.core.diagnosis import Diagnosis, Severity
from trainlint.core.rule import Rule
from trainlint.static.model import Call

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trainlint.static.model import FileModel, Layer, Optimizer

rule = Rule(__name__, "TL421", Severity.ADVICE)


@rule.check
def check(file: FileModel) -> Iterator[Diagnosis]:
    """Find weight decays for all parameters of models that are seen to normalise."""
    for optimizer in file.optimizers():
        if not optimizer.is_torch or not _takes_everything(optimizer):
            continue
        norm = next((layer for layer in optimizer.layers if _has_scale(layer)), None)
        if norm is None or optimizer.call.expected_to_fail:
            continue
        for given in optimizer.given("weight_decay"):
            if given.value <= 0:
                continue
            yield rule.at(
                given,
                f"The weight decay {given.quoted} also shrinks the biases and the scales of"
                f" {norm.call.quoted}, which does not regularise and costs accuracy.",
                remedy="Give the parameters of one dimension a group of their own with `weight_decay=0`.",
                label="decays norms and biases too",
                related=[(norm, "has scales that are better left alone"), *given.sources],
            )


def _takes_everything(optimizer: Optimizer) -> bool:
    """Say whether an optimizer gets the parameters of whole models, and no groups."""
    origins = () if optimizer.params is None else optimizer.params.origins()
    return bool(origins) and all(
        isinstance(one, Call) and one.method == "parameters" and one.target is None
        for one in origins
    )


def _has_scale(layer: Layer) -> bool:
    """Say whether a layer normalises and surely has scales of its own, which can be switched off."""
    given = next(
        (one for one in map(layer.argument, ("affine", "elementwise_affine")) if one is not None),
        None,
    )
    by_default = not layer.kind.startswith("InstanceNorm")
    return layer.is_normalisation and (by_default if given is None else given.truth() is True)
