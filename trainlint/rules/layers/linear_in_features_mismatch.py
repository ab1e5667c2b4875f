"""A layer expects another number of inputs than the layer before it puts out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trainlint.core.diagnosis import Diagnosis, Severity
from trainlint.core.rule import Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trainlint.static.model import FileModel, Layer, Step

rule = Rule(__name__, "TL615", Severity.ERROR)

_RESIZING = {"GLU", "Softmax2d"}
_INPUTS = {"Linear": "in_features"}
_OUTPUTS = {"Linear": "out_features"}
for _rank in "123":
    for _kind in (f"Conv{_rank}d", f"ConvTranspose{_rank}d"):
        _INPUTS[_kind], _OUTPUTS[_kind] = "in_channels", "out_channels"


@rule.check
def check(file: FileModel) -> Iterator[Diagnosis]:
    """Find neighbouring layers whose written sizes differ, in containers and in ``forward``."""
    seen: set[tuple[Layer, Layer]] = set()
    for stack in file.stacks() if not file.is_test else ():
        for first, second in _neighbours(stack.steps):
            width, expected = _size(first, _OUTPUTS), _size(second, _INPUTS)
            if width is None or expected is None or width == expected:
                continue
            if (first, second) in seen or _is_replaced(file, first) or _is_replaced(file, second):
                continue
            seen.add((first, second))
            if second.call.expected_to_fail:
                continue
            yield rule.at(
                second,
                f"{second.call.quoted} takes {expected:g} inputs, but the layer before it puts out"
                f" {width:g}: the first batch ends in an error.",
                remedy=f"Write {width:g} as the number of inputs, or {expected:g} as the number of"
                " outputs of the layer before.",
                label=f"takes {expected:g}",
                related=[(first, f"puts out {width:g}")],
            )


def _neighbours(steps: tuple[Step, ...]) -> Iterator[tuple[Layer, Layer]]:
    """Yield the pairs of layers of one sort with nothing between that changes the number of features."""
    before: Layer | None = None
    for step in steps:
        layer = step.layer
        if step.optional:
            before = None
        elif layer is not None and layer.kind in _INPUTS:
            if before is not None and before.kind.replace("Transpose", "") == layer.kind.replace(
                "Transpose", ""
            ):
                yield before, layer
            before = layer
        elif not _keeps_features(step, before):
            before = None


def _keeps_features(step: Step, before: Layer | None) -> bool:
    """Say whether a step leaves the number of features, or of channels, as it is."""
    if step.kind in _RESIZING:
        return False
    if step.is_activation or step.is_dropout or step.kind == "Identity":
        return True
    if step.is_normalisation:
        return True
    pools = "Pool" in step.kind or step.kind.startswith("Upsample")
    return pools and before is not None and before.kind.startswith("Conv")


def _size(layer: Layer, names: dict[str, str]) -> float | None:
    """Return the number of inputs or outputs of a layer where it is the same whoever builds it."""
    size = layer.argument(names[layer.kind])
    if size is None or not (size.is_settled and size.is_constant):
        return None
    return size.number()


def _is_replaced(file: FileModel, layer: Layer) -> bool:
    """Say whether something else is put into the layer's place, or its sizes are changed, later."""
    holder = file.holder(layer.call)
    if holder is None:
        return False
    name = holder[0].rpartition(".")[2]
    return sum(1 for _ in file.assignments(name)) > 1
