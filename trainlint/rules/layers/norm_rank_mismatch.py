"""A normalisation or dropout is made for data with another number of dimensions than it gets."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trainlint.core.diagnosis import Diagnosis, Severity
from trainlint.core.fix import Fix, Safety
from trainlint.core.rule import Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trainlint.static.model import Expr, FileModel, Layer, Stack

rule = Rule(__name__, "TL610", Severity.ERROR, fixable=Safety.UNSAFE)

_TAKES = {
    "BatchNorm1d": (2, 3),
    "BatchNorm2d": (4,),
    "BatchNorm3d": (5,),
    "InstanceNorm1d": (2, 3),
    "InstanceNorm2d": (3, 4),
    "InstanceNorm3d": (4, 5),
    "Dropout1d": (2, 3),
    "Dropout2d": (3, 4),
    "Dropout3d": (4, 5),
}
"""How many dimensions each takes, the batch included; where one is for a single example, that too."""


@rule.check
def check(file: FileModel) -> Iterator[Diagnosis]:
    """Find layers for 1d, 2d or 3d data that get data of another kind."""
    told: set[Layer] = set()
    for stack in file.stacks():
        for number, step in enumerate(stack.steps):
            layer = step.layer
            if layer is None or layer.kind not in _TAKES or layer in told:
                continue
            if step.optional or step.one_of_several:
                continue
            rank = stack.ranks[number]
            known = _rank_behind_linear(stack, number) if rank is None else rank
            if known is None or known in _TAKES[layer.kind] or layer.call.expected_to_fail:
                continue
            told.add(layer)
            source = _source(stack, number)
            takes = " or ".join(map(str, _TAKES[layer.kind]))
            fails = not layer.is_dropout or layer.kind == "Dropout1d"
            outcome = "so the forward pass fails" if fails else "which is deprecated"
            yield rule.at(
                layer,
                f"{layer.call.quoted} takes data of {takes} dimensions and gets {known}, {outcome}.",
                remedy=f"Use `nn.{_fitting(layer.kind, known)}`.",
                label=f"for {takes} dimensions",
                related=[] if source is None else [(source, f"puts out {known} dimensions")],
                fix=_fix(layer, known),
                severity=rule.severity if fails else Severity.WARNING,
            )


def _rank_behind_linear(stack: Stack, number: int) -> int | None:
    """Return 2 where a normalisation takes the features of a linear layer for channels of maps.

    A linear layer takes data of any number of dimensions, and a normalisation of maps behind it may
    be for other axes; not if it is built for just the features that the layer puts out.
    """
    layer, source = stack.steps[number].layer, _source(stack, number)
    if layer is None or source is None or layer.is_dropout or source.kind != "Linear":
        return None
    width, size = source.argument("out_features"), layer.argument("num_features")
    inputs = source.argument("in_features")
    if width is None or size is None or inputs is None or _same(inputs, width):
        return None
    return 2 if _same(width, size) else None


def _same(one: Expr, other: Expr) -> bool:
    """Say whether two sizes are one number, by value or as written."""
    return one.number() == other.number() if one.number() is not None else one.same_as(other)


def _source(stack: Stack, number: int) -> Layer | None:
    """Return the layer with weights whose output a step gets, where nothing changes its shape."""
    for step in reversed(stack.steps[:number]):
        if step.is_linear:
            return None if step.optional or step.one_of_several else step.layer
        if not (step.is_activation or step.is_dropout or step.is_normalisation):
            return None
    return None


def _fitting(kind: str, rank: int) -> str:
    """Return the layer of the same kind for a number of dimensions."""
    if kind.startswith("Dropout"):
        return "Dropout" if rank < 3 else f"Dropout{min(rank - 2, 3)}d"  # noqa: PLR2004 - no maps
    return f"{kind[:-2]}{min(max(rank - 2, 1), 3)}d"


def _fix(layer: Layer, rank: int) -> Fix | None:
    """Return the fix that takes the layer for that many dimensions, where its name is an attribute."""
    fitting = _fitting(layer.kind, rank)
    called = layer.call.called
    if called.qualified != f"torch.nn.{layer.kind}" or called.name != layer.kind:
        return None
    edit = called.renamed(fitting)
    return None if edit is None else Fix(f"Use `{fitting}`", Safety.UNSAFE, (edit,))
