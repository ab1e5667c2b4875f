"""A layer adds a bias that the batch normalisation behind it takes away again."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from trainlint.core.diagnosis import Diagnosis, Severity
from trainlint.core.fix import Fix, Safety
from trainlint.core.rule import Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trainlint.static.model import FileModel, Layer, Step

rule = Rule(__name__, "TL611", Severity.ADVICE, fixable=Safety.UNSAFE)


@rule.check
def check(file: FileModel) -> Iterator[Diagnosis]:
    """Find layers with a bias whose every use goes straight into a batch normalisation."""
    for layer, norms in _uses(file).items():
        norm = norms[0]
        if norm is None or any(one is None or not _fits(layer, one) for one in norms):
            continue
        if layer.kind == "Bilinear" or not _has_bias(layer):
            continue
        yield rule.at(
            layer,
            f"{layer.call.quoted} adds a bias, which {norm.call.quoted} subtracts again with the mean of"
            " the batch: it costs memory and time for nothing.",
            remedy="Pass `bias=False`; the normalisation has a bias of its own.",
            label="its bias has no effect",
            related=[(norm, "subtracts it")],
            fix=_fix(file, layer),
        )


def _uses(file: FileModel) -> dict[Layer, list[Layer | None]]:
    """Return the linear layers with the batch normalisation behind each use, None for no such."""
    found: dict[Layer, list[Layer | None]] = {}
    for stack in file.stacks():
        for step, after in pairwise((*stack.steps, None)):
            if step is not None and step.layer is not None and step.is_linear:
                norm = None if after is None or step.one_of_several else _as_norm(after)
                found.setdefault(step.layer, []).append(norm)
    return found


def _has_bias(layer: Layer) -> bool:
    """Say whether a layer surely has a bias."""
    bias = layer.argument("bias")
    return layer.is_whole and (bias is None or bias.truth() is True)


def _as_norm(step: Step) -> Layer | None:
    """Return the layer of a step that is surely a batch normalisation."""
    if step.optional or step.one_of_several or not step.is_batch_norm:
        return None
    return step.layer


def _fits(layer: Layer, norm: Layer) -> bool:
    """Say whether the normalisation is over each output of the layer, and not over another axis."""
    if layer.kind.removeprefix("Lazy").startswith("Conv"):
        return True
    width, size = layer.argument("out_features"), norm.argument("num_features")
    if width is None or size is None:
        return False
    return width.same_as(size) or (width.number() is not None and width.number() == size.number())


def _fix(file: FileModel, layer: Layer) -> Fix | None:
    """Return the fix that leaves the bias out, where nothing in the file counts on it."""
    if any(True for _ in file.attributes_read("bias")):
        return None
    given = layer.argument("bias")
    if given is None:
        edit = layer.call.with_argument("bias", "False")
    elif given in layer.call.parts():
        edit = given.replaced_by("False")
    else:
        return None
    return Fix("Leave the bias out", Safety.UNSAFE, (edit,))
