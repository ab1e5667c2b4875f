"""Two linear layers follow each other with no activation between, and can do no more than one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trainlint.core.diagnosis import Diagnosis, Severity
from trainlint.core.rule import Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trainlint.static.model import Call, FileModel, Layer, Stack, Step

rule = Rule(__name__, "TL209", Severity.WARNING)

_BETWEEN = {"Identity", "Flatten", "flatten", "contiguous", "to", "float"}
_MEANT = ("linear", "lora", "lowrank", "low_rank", "factor", "dummy")
_NARROW = frozenset({"bottleneck", "rank", "latent", "code", "embed", "embedding"})
"""How the width of a narrow middle is called, whose output is wanted itself."""


@rule.check
def check(file: FileModel) -> Iterator[Diagnosis]:
    """Find neighbours of one `Sequential` or `forward` that are both `nn.Linear`."""
    told: set[Layer] = set()
    for stack in () if file.serves_tests else file.stacks():
        for first, second in _neighbours(stack):
            one, other = first.layer, second.layer
            if one is None or other is None or other in told:
                continue
            if not _are_side_by_side(file, one, other) or _is_meant(file, one, other):
                continue
            told.add(other)
            yield rule.at(
                other,
                f"{other.call.quoted} takes what {one.call.quoted} puts out, with no activation between:"
                " the two can do no more than one of them alone.",
                remedy="Put an activation between the two, or merge them.",
                label="no activation before it",
                related=[(one, "the layer before")],
            )


def _neighbours(stack: Stack) -> Iterator[tuple[Step, Step]]:
    """Yield the linear layers that follow each other, with nothing or a dropout between."""
    first: Step | None = None
    for step in stack.steps:
        linear = step.kind in {"Linear", "LazyLinear"} and step.is_linear and not step.optional
        if linear and first is not None:
            yield first, step
        if linear:
            first = step
        elif step.optional or not (step.is_dropout or step.kind in _BETWEEN):
            first = None


def _are_side_by_side(file: FileModel, one: Layer, other: Layer) -> bool:
    """Say whether two layers are written in one list, or called one after the other in `forward`.

    Not so the last of an encoder and the first of its decoder, each in a container of its own.
    """
    if one.call == other.call or one.call.function != other.call.function:
        return False
    held, behind = one.call.assigned_to, other.call.assigned_to
    if held is None or behind is None:
        return held == behind and one.call.statement == other.call.statement
    if not (held.startswith("self.") and behind.startswith("self.")):
        return _are_in_order(file, one.call, other.call)
    return any(_is_sole_use(file, call) for call in file.method_calls(held.rpartition(".")[2]))


def _are_in_order(file: FileModel, one: Call, other: Call) -> bool:
    """Say whether one `Sequential` takes both by their variables, one after the other."""
    for container in file.calls_to("torch.nn.Sequential"):
        items = [argument.objects() for argument in container.args]
        if (one,) in items and (other,) in items[items.index((one,)) :]:
            return True
    return False


def _is_sole_use(file: FileModel, call: Call) -> bool:
    """Say whether nothing but one further call takes what a call gives."""
    if any(file.calls_taking(call)):
        return True
    kept = file.kept(call)
    return kept is not None and len([use for use in kept.uses if call in use.origins()]) == 1


def _is_meant(file: FileModel, one: Layer, other: Layer) -> bool:
    """Say whether a product of two matrices is wanted: through a narrow middle, or by its name."""
    middle = one.width
    ends = (one.number("in_features"), other.number("out_features"))
    if middle is not None and all(end is not None and middle < end for end in ends):
        return True
    width = one.argument("out_features")
    if width is not None and (width.is_name or width.is_attribute):
        words = width.text.rpartition(".")[2].lower().split("_")
        if not _NARROW.isdisjoint(words):
            return True
    bias = one.argument("bias")
    if bias is not None and bias.truth() is not True and middle is None:
        return True
    return any(word in name.lower() for name in _names_around(file, one) for word in _MEANT)


def _names_around(file: FileModel, layer: Layer) -> Iterator[str]:
    """Yield the names of what a layer is kept in: variable, function, class; and a file of dummies."""
    yield from file.labels(layer.call)
    target, equals, _ = layer.call.statement.text.partition("(")[0].partition("=")
    module, function = file.module_around(layer.call), layer.call.function
    yield target if equals else ""
    yield "" if module is None else module.name
    yield "" if function is None else function.name
    yield "dummy" if "dummy" in layer.path else ""
