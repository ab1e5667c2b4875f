"""A recurrent network is trained and its gradients are never clipped."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trainlint.core.diagnosis import Diagnosis, Severity
from trainlint.core.loop import LoopEvent
from trainlint.core.rule import Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trainlint.static.model import FileModel, Layer

rule = Rule(__name__, "TL512", Severity.ADVICE)

_RECURRENT = {"RNN", "LSTM", "GRU"}
_HOOKS = ("register_hook", "register_full_backward_hook", "register_post_accumulate_grad_hook")


@rule.check
def check(file: FileModel) -> Iterator[Diagnosis]:
    """Find recurrent layers that plain loops of the file train, where nothing in it clips."""
    if not any(layer.kind in _RECURRENT for layer in file.all_layers()) or _clips(file):
        return
    steps = [
        step
        for routine in file.routines()
        if routine.is_plain and routine.of(LoopEvent.BACKWARD)
        for step in routine.of(LoopEvent.STEP)
    ]
    told: set[Layer] = set()
    for optimizer in file.optimizers():
        layers = [layer for layer in optimizer.layers if layer.kind in _RECURRENT]
        step = next(
            (one for one in steps if one.subject is not None and optimizer.may_be(one.subject)),
            None,
        )
        if not layers or layers[0] in told or optimizer.kind == "LBFGS" or step is None:
            continue
        told.add(layers[0])
        yield rule.at(
            layers[0],
            f"The gradient of {layers[0].call.quoted} is multiplied by one matrix at every time step"
            " and never clipped: a long sequence can throw the weights away.",
            remedy="Call `torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)` between"
            " `backward()` and `step()`.",
            label="trained without clipping",
            related=[(step, "steps on whatever comes")],
        )


def _clips(file: FileModel) -> bool:
    """Say whether anything in the file may bound gradients: by name, by hand, in a hook."""
    if file.speaks_of("clip") or any(True for _ in file.method_calls(*_HOOKS)):
        return True
    return any(
        call.receiver is not None and call.receiver.mentions("grad")
        for call in file.method_calls("clamp", "clamp_", "mul_", "div_", "copy_", "renorm_")
    )
