"""A layer that is built inside `forward` is a new one at every call."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trainlint.core.diagnosis import Diagnosis, Severity
from trainlint.core.rule import Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trainlint.static.model import Call, FileModel, Layer

rule = Rule(__name__, "TL202", Severity.ERROR)

_MOVES = ("to", "cuda", "cpu", "half", "float", "double", "bfloat16", "train", "eval", "apply")


@rule.check
def check(file: FileModel) -> Iterator[Diagnosis]:
    """Find layers with weights, or with a mode, that the way of the data constructs."""
    running = {function for module in file.modules for function in module.running}
    if not running:
        return
    for layer in file.all_layers():
        function = layer.call.function
        if function not in running or not (layer.has_weights or layer.has_mode):
            continue
        if _is_built_once(layer) or file.sets_weights_of(layer):
            continue
        if layer.has_weights:
            yield rule.at(
                layer,
                f"{layer.call.quoted} in `{function.name}` is a new layer at every call: its weights "
                "are random each time, and no optimizer or checkpoint has them.",
                label="a new layer at every call",
                remedy="Build the layer in `__init__` and keep it as an attribute.",
            )
        elif not _is_told_its_mode(file, layer):
            yield rule.at(
                layer,
                f"{layer.call.quoted} in `{function.name}` is always in training mode: `model.eval()` "
                "reaches only what the module holds.",
                label="never in evaluation mode",
                remedy="Build it in `__init__` and keep it as an attribute, or use the function and pass "
                "`training=self.training`.",
                severity=Severity.WARNING,
            )


def _is_built_once(layer: Layer) -> bool:
    """Say whether a layer is kept, as it is or wrapped, under a condition that asks whether it is there."""
    made: Call | None = layer.call
    kept = None
    while made is not None and kept is None:
        kept = made.assigned_to
        made = _around(layer.call.model, made)
    return kept is not None and kept.startswith("self.") and bool(layer.call.decided_by)


def _around(file: FileModel, made: Call) -> Call | None:
    """Return the call that something is handed to, or moved by, where it is made."""
    moves = (call for call in file.method_calls(*_MOVES) if call.receiver == made)
    return next(file.calls_taking(made), None) or next(moves, None)


def _is_told_its_mode(file: FileModel, layer: Layer) -> bool:
    """Say whether ``.train(...)`` or ``.eval()`` is called on the layer where it is built."""
    return any(call.receiver == layer.call for call in file.method_calls("train", "eval"))
