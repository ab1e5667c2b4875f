"""The backward pass runs inside of the autocast that is meant for the forward pass."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trainlint.core.diagnosis import Diagnosis, Severity
from trainlint.core.fix import Fix, Safety
from trainlint.core.loop import LoopEvent
from trainlint.core.rule import Rule
from trainlint.static.model import Call, Driver, Event, FileModel, Routine

if TYPE_CHECKING:
    from collections.abc import Iterator

rule = Rule(__name__, "TL806", Severity.WARNING, fixable=Safety.UNSAFE)

_AUTOCAST = {"torch.amp.autocast", "torch.cuda.amp.autocast"}


@rule.check
def check(file: FileModel) -> Iterator[Diagnosis]:
    """Find backward passes whose innermost autocast is not switched off."""
    if file.is_test:
        return
    told = set()
    for routine in file.routines():
        for backward in routine.of(LoopEvent.BACKWARD):
            context = _autocast(backward)
            if context is None or backward.call in told or backward.driver is not Driver.PLAIN:
                continue
            told.add(backward.call)
            yield rule.at(
                backward,
                f"{backward.call.quoted} runs under {context.quoted}, which is meant for the forward"
                " pass: backward operations have its types already, and a function with a backward of"
                " its own is cast once more.",
                remedy="Leave the `with` before the backward pass.",
                label="differentiates under autocast",
                related=[(context, "should end before")],
                fix=_fix(routine, backward, context),
            )


def _autocast(backward: Event) -> Call | None:
    """Return the innermost autocast around a backward pass, those of its callers included."""
    contexts = [one for call in (*backward.via, backward.call) for one in call.contexts]
    for context in reversed(contexts):
        if isinstance(context, Call) and context.callee in _AUTOCAST:
            old = context.callee == "torch.cuda.amp.autocast"
            enabled = context.argument(0 if old else 2, "enabled")
            off = enabled is not None and enabled.truth() is False
            return None if off or context.is_open else context
    return None


def _fix(routine: Routine, backward: Event, context: Call) -> Fix | None:
    """Return the fix that ends the autocast before the backward pass."""
    call = backward.call
    later = routine.events[routine.position(backward) :]
    computes = {LoopEvent.FORWARD, LoopEvent.LOSS}
    if context not in call.contexts or any(
        one.kind in computes and one.call.site.block is call.site.block for one in later
    ):
        return None
    edits = call.taken_out_of_with()
    return Fix("End the autocast before the backward pass", Safety.UNSAFE, edits) if edits else None
