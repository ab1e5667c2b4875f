"""Every batch of the training waits for the GPU."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trainlint.core.diagnosis import Diagnosis, Severity
from trainlint.core.loop import LoopEvent
from trainlint.core.rule import Rule
from trainlint.static.model import Call, Event, Expr, FileModel

if TYPE_CHECKING:
    from collections.abc import Iterator

rule = Rule(__name__, "TL525", Severity.ADVICE)

_WAITS = ("item", "cpu", "numpy", "tolist")
"""Methods of a tensor that wait until the GPU has computed it."""

_READS = ("float", "int", "bool", "print")
"""Functions that read the number in a tensor."""

_SAME = frozenset({"detach", "data", "clone", "cpu", "mean", "sum", "float"})
"""Methods and attributes that hand on what they are called on, for this question."""


@rule.check
def check(file: FileModel) -> Iterator[Diagnosis]:
    """Find reads of the loss in every iteration of a loop that differentiates it."""
    if file.is_test:
        return
    backwards = {
        event.call: event for routine in file.routines() for event in routine.of(LoopEvent.BACKWARD)
    }
    told: set[Call] = set()
    for backward in backwards.values():
        loop = backward.call.loops[-1] if backward.call.loops else None
        if loop is None or loop.over_epochs or backward.call.is_conditional_in(loop):
            continue
        for call in loop.calls:
            read = _read(call)
            if read is None or call in told or not _is_of_loss(read, backward):
                continue
            if call.loops[-1] != loop or call.is_conditional_in(loop) or _is_inside(call, told):
                continue
            told.add(call)
            yield rule.at(
                call,
                f"{call.quoted} waits for the GPU in every iteration, which then idles until the next"
                " batch is launched.",
                remedy="Keep the number on the device (`.detach()`), and read it every so many"
                " iterations.",
                label="waits for the GPU",
                related=[(backward, "the loss of this pass")],
            )


def _read(call: Call) -> Expr | None:
    """Return the tensor whose number a call reads."""
    if call.method in _WAITS and call.receiver is not None:
        return call.receiver
    if call.callee in {f"builtins.{name}" for name in _READS} and call.args:
        return next((one for one in call.args if one.is_name or one.is_attribute), None)
    return None


def _is_of_loss(read: Expr, backward: Event) -> bool:
    """Say whether what is read is the loss that is differentiated, as it is or detached."""
    loss = backward.subject
    inner: Expr | None = read
    while isinstance(inner, Call) or (inner is not None and inner.name in _SAME):
        inner = inner.receiver if isinstance(inner, Call) and inner.method in _SAME else inner.owner
    read = read if inner is None else inner
    if loss is None or not (read.is_name or read.is_attribute):
        return False
    return any(part.same_as(read) for part in loss.parts() if part.is_name or part.is_attribute)


def _is_inside(call: Call, told: set[Call]) -> bool:
    """Say whether a call is part of one that was told, or holds one."""
    return any(call in one.parts() or one in call.parts() for one in told)
