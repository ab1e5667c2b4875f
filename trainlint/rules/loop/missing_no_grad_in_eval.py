"""An evaluation loop records a graph for every batch, which nothing uses."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from trainlint.core.diagnosis import Diagnosis, Severity
from trainlint.core.fix import Fix, Safety
from trainlint.core.loop import LoopEvent
from trainlint.core.rule import Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trainlint.static.model import Event, FileModel, Loop, Routine

rule = Rule(__name__, "TL523", Severity.WARNING, fixable=Safety.UNSAFE)

_WANTS_GRADIENT = re.compile(
    r"attack|advers|fgsm|pgd|salien|grad_?cam|gradient|influence|explain|attribut|fisher|hessian|jacob"
    r"|captum|invers|penalty|energy|force",
    re.IGNORECASE,
)
"""What needs gradients in evaluation mode, by the words of the file."""


@rule.check
def check(file: FileModel) -> Iterator[Diagnosis]:
    """Find evaluation loops in evaluation mode in a file that never switches gradients off."""
    if file.is_test or _may_switch(file):
        return
    told = set()
    for routine in file.routines():
        if routine.function is not None and not routine.of(LoopEvent.BACKWARD):
            continue  # a function of another file may call it under `no_grad`
        for forward in routine.of(LoopEvent.FORWARD):
            loop = _evaluation_loop(routine, forward)
            model, function = forward.subject, forward.call.function
            if loop is None or model is None or loop in told or not _in_eval_mode(routine, forward):
                continue
            if _may_train(file, loop):
                continue
            told.add(loop)
            spelling = file.spelling("torch.no_grad")
            edit = None
            if function is not None and spelling is not None and not _trains(file, forward):
                edit = function.decorated_with(f"{spelling}()")
            yield rule.at(
                forward,
                f"{forward.call.quoted} is evaluated with gradients on, so every activation of the"
                " batch is kept for a backward pass that never comes.",
                remedy="Evaluate under `torch.no_grad()` or `torch.inference_mode()`.",
                label="records a graph",
                related=[(loop, "evaluates batch by batch")],
                fix=Fix("Switch gradients off", Safety.UNSAFE, (edit,)) if edit else None,
            )


def _may_switch(file: FileModel) -> bool:
    """Say whether anything in the file switches gradients, or asks for them outside of a training."""
    return file.speaks_of(r"^(set_grad_enabled|no_grad|inference_mode|enable_grad|volatile)$") or (
        any(file.assignments("requires_grad"))
        or any(file.method_calls("requires_grad_", "grad", "jacobian", "autograd"))
        or any(file.calls_passing("requires_grad"))
        or file.speaks_of(_WANTS_GRADIENT.pattern)
    )


def _evaluation_loop(routine: Routine, forward: Event) -> Loop | None:
    """Return the loop over batches around a forward pass that differentiates nothing."""
    used = routine.of(LoopEvent.BACKWARD, LoopEvent.STEP)
    for loop in forward.loops:
        if loop.over_batches and not any(one.inside(loop) for one in used):
            return loop
    return None


def _in_eval_mode(routine: Routine, forward: Event) -> bool:
    """Say whether the model was put into evaluation mode just before."""
    for event in reversed(routine.events[: routine.position(forward)]):
        if event.kind is LoopEvent.TRAIN_MODE:
            return False
        if event.kind is LoopEvent.EVAL_MODE:
            return event.always_before(forward) and event.same_subject(forward)
    return False


def _may_train(file: FileModel, loop: Loop) -> bool:
    """Say whether a call in the loop is given what trains: an optimizer, a GradScaler."""
    return any(
        file.role_of(argument) in {"optimizer", "scaler"}
        for call in loop.calls
        for argument in (*call.args, *call.keywords.values())
        if argument.is_name or argument.is_attribute
    )


def _trains(file: FileModel, forward: Event) -> bool:
    """Say whether the function of a forward pass also trains."""
    return any(
        forward.call.function in {call.function for call in (event.call, *event.via)}
        for routine in file.routines()
        for event in routine.of(LoopEvent.BACKWARD)
    )
