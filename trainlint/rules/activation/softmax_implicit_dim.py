"""A softmax is not told its dimension, and guesses it from the number of dimensions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trainlint.core.diagnosis import Diagnosis, Severity
from trainlint.core.fix import Fix, Safety
from trainlint.core.rule import Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trainlint.static.model import Call, FileModel, Step

rule = Rule(__name__, "TL208", Severity.WARNING, fixable=Safety.UNSAFE)

_KINDS = {"Softmax", "LogSoftmax", "Softmin"}
_FUNCTIONS = [f"torch.nn.functional.{name}" for name in ("softmax", "log_softmax", "softmin")]


@rule.check
def check(file: FileModel) -> Iterator[Diagnosis]:
    """Find softmax layers and functions without a `dim`."""
    if file.is_test:
        return
    for layer in file.all_layers():
        if layer.kind in _KINDS and layer.argument("dim") is None:
            yield from _speak(layer.call, _befores_of_layer(file, layer.call))
    for call in file.calls_to(*_FUNCTIONS):
        given = call.argument(0, "input")
        if given is not None and call.argument(1, "dim") is None:
            yield from _speak(call, list(file.producers(given)))


def _speak(call: Call, befores: list[Step]) -> Iterator[Diagnosis]:
    """Yield the diagnosis of one call, unless a star may pass the dimension."""
    if call.is_open or call.expected_to_fail:
        return
    yield rule.at(
        call,
        f"{call.quoted} chooses its dimension by the rank of its input: with 3 dimensions it is the"
        " batch over which the outputs then sum to 1.",
        remedy="Pass the dimension of the classes: `dim=-1`, or `dim=1` for images.",
        label="no `dim`",
        fix=_told(call, befores),
    )


def _befores_of_layer(file: FileModel, call: Call) -> list[Step]:
    """Return what hands its output to a softmax layer, in every stack that has it."""
    found: list[Step] = []
    for stack in file.stacks():
        for before, step in zip(stack.steps, stack.steps[1:], strict=False):
            if step.at == call:
                found.append(before)
    return found


def _told(call: Call, befores: list[Step]) -> Fix | None:
    """Return the edit that passes the dimension, where the layer in front says which it is."""
    kinds = {step.kind for step in befores}
    if kinds and kinds <= {"Linear", "LazyLinear"}:
        dimension = "-1"
    elif befores and all(step.is_linear and step.kind.startswith("Conv") for step in befores):
        dimension = "1"
    else:
        return None
    edit = call.with_argument("dim", dimension)
    return Fix(f"Pass `dim={dimension}`", Safety.UNSAFE, (edit,))
