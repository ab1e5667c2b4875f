"""A uniform initialisation keeps its bounds 0 and 1, so that every weight is positive."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trainlint.core.diagnosis import Diagnosis, Severity
from trainlint.core.fix import Fix, Safety
from trainlint.core.rule import Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trainlint.static.model import FileModel, InitCall

rule = Rule(__name__, "TL109", Severity.WARNING, fixable=Safety.UNSAFE)

_CHANGES = ("sub_", "add_", "mul_", "div_", "copy_", "sub", "mul", "clamp_")
_RECTIFIERS = {"ReLU", "ReLU6", "LeakyReLU", "PReLU", "RReLU", "ELU", "CELU"}


@rule.check
def check(file: FileModel) -> Iterator[Diagnosis]:
    """Find uniform initialisations of the weights of linear layers and convolutions from 0 upward."""
    for init in () if file.serves_tests else file.init_calls():
        if init.scheme != "uniform" or init.parameter != "weight" or init.call.is_open:
            continue
        if not (_is_from_zero_to_one(init) and _is_for_linear_layers(init)):
            continue
        if not init.call.is_statement or _is_changed_later(file, init):
            continue
        if any(file.is_frozen(layer) for layer in init.layers):
            continue
        place = init.layers[0] if len(init.layers) == 1 else None
        yield rule.at(
            init,
            f"{init.call.quoted} draws every weight between 0 and 1: each output is half the sum of its"
            " inputs plus a little noise, and nearly the same as all others.",
            remedy="Use Kaiming or Xavier initialisation, or bounds on both sides of 0.",
            label="no negative weight",
            related=[] if place is None else [(place, "its weight")],
            fix=_around_zero(init),
        )


def _is_from_zero_to_one(init: InitCall) -> bool:
    """Say whether the bounds are 0 and 1, by default or as written."""
    low, high = init.argument("a"), init.argument("b")
    return (low is None or low.number() == 0) and (high is None or high.number() == 1)


def _is_for_linear_layers(init: InitCall) -> bool:
    """Say whether it surely reaches linear layers or convolutions, and no norms alone."""
    if init.layers:
        return all(layer.is_linear for layer in init.layers)
    return any(init.lets_through(kind) is True for kind in ("Linear", "Conv1d", "Conv2d", "Conv3d"))


def _is_changed_later(file: FileModel, init: InitCall) -> bool:
    """Say whether the function shifts or scales the same weight afterwards."""
    tensor = init.call.receiver if init.is_method else init.argument("tensor")
    written = "" if tensor is None else tensor.text.removesuffix(".data")
    return any(
        call.receiver is not None
        and call.receiver.text.removesuffix(".data") == written
        and call.function == init.call.function
        for call in file.method_calls(*_CHANGES)
    )


def _around_zero(init: InitCall) -> Fix | None:
    """Return the same call with the initialisation for what follows, where it is `init.uniform_`."""
    module, tensor = init.call.receiver, init.argument("tensor")
    if init.is_method or module is None or tensor is None:
        return None
    kinds = {pair.activation.kind for pair in init.activated}
    if kinds and kinds <= _RECTIFIERS:
        text = f'{module.source_text}.kaiming_uniform_({tensor.source_text}, nonlinearity="relu")'
    else:
        text = f"{module.source_text}.xavier_uniform_({tensor.source_text})"
    return Fix("Draw on both sides of 0", Safety.UNSAFE, (init.call.replaced_by(text),))
