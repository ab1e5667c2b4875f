"""Gradients are cleared outside of the loop that steps."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trainlint.core.diagnosis import Diagnosis, Severity
from trainlint.core.fix import Fix, Safety
from trainlint.core.loop import LoopEvent
from trainlint.core.rule import Rule
from trainlint.static.model import Driver, Event, FileModel, Loop, Routine

if TYPE_CHECKING:
    from collections.abc import Iterator

rule = Rule(__name__, "TL503", Severity.WARNING, fixable=Safety.UNSAFE)


@rule.check
def check(file: FileModel) -> Iterator[Diagnosis]:
    """Find clearings around or beside an inner loop that steps without clearing."""
    told = set()
    for routine in file.routines():
        if not routine.is_plain or file.writes_gradients:
            continue
        for step in routine.of(LoopEvent.STEP):
            loop = _stepping_loop(routine, step)
            if loop is None:
                continue
            clearings = [one for one in routine.of(LoopEvent.ZERO_GRAD) if one.may_concern(step)]
            outside = [
                one for one in clearings if one.same_subject(step) and not one.excludes(step)
            ]
            if not outside or any(one.inside(loop) for one in clearings):
                continue
            clearing = outside[0]
            if clearing.call in told or _may_be_cleared_elsewhere(file, step, loop):
                continue
            told.add(clearing.call)
            yield rule.at(
                clearing,
                f"{clearing.call.quoted} runs outside of the loop that steps, so each step uses the"
                " sum of all gradients since.",
                remedy="Clear the gradients in the loop that steps, once per step.",
                label="clears once for many steps",
                related=[(loop, "this loop never clears"), (step, "steps here")],
                fix=_fix(routine, clearing, step, loop),
            )


def _stepping_loop(routine: Routine, step: Event) -> Loop | None:
    """Return the innermost loop that repeats both a step and a backward pass."""
    if step.driver is not Driver.PLAIN:
        return None
    if len(step.call.args) + len(step.call.keywords) > (1 if step.scaled else 0):
        return None
    for loop in reversed(step.loops):
        if any(one.inside(loop) for one in routine.of(LoopEvent.BACKWARD)):
            return loop
    return None


def _may_be_cleared_elsewhere(file: FileModel, step: Event, loop: Loop) -> bool:
    """Say whether a helper that the model does not see through may clear in the loop."""
    names = ("zero_grad", "zero_grads", "reset_grad", "reset_grads", "clear_grad", "clear_grads")
    unseen = [call for call in file.method_calls(*names) if file.events.classify(call) is None]
    return any(loop.runs(call) for call in (*unseen, *file.handed_on(step.subject or step.call)))


def _fix(routine: Routine, clearing: Event, step: Event, loop: Loop) -> Fix | None:
    """Return the fix that moves the clearing into the loop, before its backward pass."""
    backward = next(one for one in routine.of(LoopEvent.BACKWARD) if one.inside(loop))
    call = backward.call
    if call.blocks != step.call.blocks or call.function != clearing.call.function:
        return None
    edits = clearing.call.moved(before=call)
    if not edits:
        return None
    return Fix("Clear the gradients in the loop that steps", Safety.UNSAFE, edits)
