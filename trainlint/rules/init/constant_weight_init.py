"""The weights of a hidden layer are all set to one value, so that its units stay copies of each other."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trainlint.core.diagnosis import Diagnosis, Severity
from trainlint.core.rule import Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trainlint.static.model import FileModel, InitCall, Layer, Step

rule = Rule(__name__, "TL110", Severity.WARNING)

_RECTIFIERS = {"ReLU", "ReLU6"}


@rule.check
def check(file: FileModel) -> Iterator[Diagnosis]:
    """Find constants in two layers one behind the other, and zeros in front of a rectifier."""
    filled = _filled(file, "weight")
    biases = _filled(file, "bias")
    told: set[InitCall] = set()
    for stack in () if file.serves_tests or not filled else file.stacks():
        for first, second in _neighbours(stack.steps):
            one, other = first.layer, second.layer
            if one is None or one not in filled or filled[one] in told:
                continue
            init = filled[one]
            if second.kind in _RECTIFIERS and init.fills_zeros and _has_no_bias(one, biases):
                told.add(init)
                yield rule.at(
                    init,
                    f"{init.call.quoted} makes {one.call.quoted} put out nothing but zeros, where"
                    f" {second.at.quoted} has no gradient: the layer never learns.",
                    remedy="Draw the weights at random: Kaiming or Xavier initialisation.",
                    label="all zeros",
                    related=[(one, "its weight"), (second.at, "no gradient at 0")],
                )
            elif (
                other is not None
                and other in filled
                and one.width != 1
                and _has_constant_bias(one, biases)
            ):
                told.add(init)
                yield rule.at(
                    init,
                    f"{init.call.quoted} makes the units of {one.call.quoted} copies of each other, and the"
                    f" weights of {other.call.quoted} behind it are all equal too: they get the same"
                    " gradient and stay copies.",
                    remedy="Draw the weights at random: Kaiming or Xavier initialisation.",
                    label="all weights equal",
                    related=[(one, "the units are copies")],
                )


def _filled(file: FileModel, parameter: str) -> dict[Layer, InitCall]:
    """Return the layers whose parameter nothing but one constant fills, with the call that does it."""
    found: dict[Layer, InitCall] = {}
    others: set[Layer] = set()
    for init in file.init_calls():
        if init.parameter not in {parameter, "?"}:
            continue
        for layer in init.layers:
            if init.fills_constant and not init.is_conditional and init.parameter == parameter:
                found[layer] = init
            else:
                others.add(layer)
    return {
        layer: init
        for layer, init in found.items()
        if layer not in others
        and not file.is_frozen(layer)
        and not _is_touched(file, layer, parameter)
    }


def _is_touched(file: FileModel, layer: Layer, parameter: str) -> bool:
    """Say whether anything but the initialisations names the parameter of a layer."""
    held = layer.call.assigned_to
    if held is None:
        return False
    known = [part for init in file.init_calls() for part in init.call.parts()]
    reads = [one for one in file.attributes_read(parameter) if one not in known]
    writes = [target for target, _ in (*file.assignments(parameter), *file.assignments("data"))]
    return any(one.text.startswith(f"{held}.") for one in (*reads, *writes))


def _has_no_bias(layer: Layer, biases: dict[Layer, InitCall]) -> bool:
    """Say whether a layer has no bias, or one that is set to 0."""
    given = layer.argument("bias")
    if given is not None and given.truth() is False:
        return True
    return layer in biases and biases[layer].fills_zeros


def _has_constant_bias(layer: Layer, biases: dict[Layer, InitCall]) -> bool:
    """Say whether all units of a layer have one bias, or none."""
    return _has_no_bias(layer, biases) or layer in biases


def _neighbours(steps: tuple[Step, ...]) -> Iterator[tuple[Step, Step]]:
    """Yield each linear layer with what takes its output, and with the next one behind activations."""
    first: Step | None = None
    alone = True
    for step in steps:
        if first is not None and (step.is_linear or (alone and step.is_activation)):
            yield first, step
        if step.is_linear:
            first, alone = (None if step.optional else step), True
        elif step.optional or not (step.passes_on or step.is_activation):
            first = None
        elif not (step.keeps_values or step.is_dropout):
            alone = False
