"""A recurrent network is trained and its gradients are never clipped."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trainlint.core.diagnosis import Diagnosis, Severity
from trainlint.core.loop import LoopEvent
from trainlint.core.rule import Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trainlint.static.model import FileModel, Layer, Optimizer

rule = Rule(__name__, "TL512", Severity.ADVICE)

_RECURRENT = {"RNN", "LSTM", "GRU"}
_HOOKS = ("register_hook", "register_full_backward_hook", "register_post_accumulate_grad_hook")


@rule.check
def check(file: FileModel) -> Iterator[Diagnosis]:
    """Find recurrences that plain loops of the file train, where nothing clips."""
    if not file.optimizers() or _clips(file):
        return
    steps = [
        step
        for routine in file.routines()
        if routine.is_plain and routine.of(LoopEvent.BACKWARD)
        for step in routine.of(LoopEvent.STEP)
    ]
    told: set[Layer] = set()
    for optimizer in file.optimizers():
        step = next(
            (one for one in steps if one.subject is not None and optimizer.may_be(one.subject)),
            None,
        )
        if step is None or optimizer.kind == "LBFGS":
            continue
        layer = next((one for one in _layers(file, optimizer) if _is_recurrent(file, one)), None)
        if layer is None or layer in told or layer.call.model.speaks_of("clip"):
            continue
        told.add(layer)
        here = layer.path == file.source.path
        yield rule.at(
            layer if here else step,
            f"The gradient of {layer.call.quoted} is multiplied by one matrix at every time step"
            " and never clipped: a long sequence can throw the weights away.",
            remedy="Call `torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)` between"
            " `backward()` and `step()`.",
            label="trained without clipping" if here else "steps on whatever comes",
            related=[
                (step, "steps on whatever comes") if here else (layer, "goes over the sequence")
            ],
        )


def _layers(file: FileModel, optimizer: Optimizer) -> tuple[Layer, ...]:
    """Return the layers that an optimizer trains: of other files those that are surely built."""
    here = [layer for layer in optimizer.layers if layer.path == file.source.path]
    return (*here, *optimizer.sure_layers)


def _is_recurrent(file: FileModel, layer: Layer) -> bool:
    """Say whether a layer goes over a sequence: itself, or fed back by a loop over the time steps."""
    if layer.kind in _RECURRENT:
        return True
    return (layer.is_linear or layer.is_recurrent) and file.fed_back(layer) is not None


def _clips(file: FileModel) -> bool:
    """Say whether anything in the file, or where it imports, may bound gradients: by name, by hand."""
    if (
        file.speaks_of("clip")
        or file.imports_speak_of("clip")
        or any(True for _ in file.method_calls(*_HOOKS))
    ):
        return True
    return any(
        call.receiver is not None and call.receiver.mentions("grad")
        for call in file.method_calls("clamp", "clamp_", "mul_", "div_", "copy_", "renorm_")
    )
