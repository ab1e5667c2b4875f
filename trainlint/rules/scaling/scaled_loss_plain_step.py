"""The loss is scaled for mixed precision, but the optimizer steps without the scaler."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trainlint.core.diagnosis import Diagnosis, Severity
from trainlint.core.fix import Fix, Safety
from trainlint.core.loop import LoopEvent
from trainlint.core.rule import Rule
from trainlint.static.model import Driver, Event, FileModel, Routine

if TYPE_CHECKING:
    from collections.abc import Iterator

rule = Rule(__name__, "TL801", Severity.ERROR, fixable=Safety.UNSAFE)


@rule.check
def check(file: FileModel) -> Iterator[Diagnosis]:
    """Find plain steps that use the gradients of a scaled backward pass."""
    told = set()
    for routine in file.routines():
        scaled_steps = [one for one in routine.of(LoopEvent.STEP) if one.scaled]
        for step in routine.of(LoopEvent.STEP):
            if step.scaled or step.driver is not Driver.PLAIN or step.call in told:
                continue
            backward = _scaled_backward(routine, step)
            if backward is None or any(one.may_concern(step) for one in scaled_steps):
                continue
            if backward.scaler_is_off or file.writes_gradients:
                continue
            told.add(step.call)
            scaler = "scaler" if backward.scaler is None else backward.scaler.text
            optimizer = "optimizer" if step.subject is None else step.subject.text
            yield rule.at(
                step,
                f"{step.call.quoted} uses gradients that still carry the loss scale, 65536 at the"
                " start.",
                remedy=f"Step with `{scaler}.step({optimizer})`, then call `{scaler}.update()`.",
                label="steps on scaled gradients",
                related=[(backward, "scaled here")],
                fix=_fix(routine, step, backward),
            )


def _scaled_backward(routine: Routine, step: Event) -> Event | None:
    """Return the backward pass whose gradients a step uses, if it is a scaled one."""
    for event in reversed(routine.events[: routine.position(step)]):
        if event.excludes(step):
            continue
        if event.kind is LoopEvent.UNSCALE:
            return None
        if event.kind is LoopEvent.STEP and event.same_subject(step):
            return None
        if event.kind is LoopEvent.BACKWARD:
            return event if event.scaled and event.driver is Driver.PLAIN else None
    return None


def _fix(routine: Routine, step: Event, backward: Event) -> Fix | None:
    """Return the fix that steps through the scaler, and updates it where nothing does."""
    if backward.scaler is None or step.subject is None:
        return None
    if step.call.function != backward.call.function or not step.call.is_statement:
        return None
    scaler = backward.scaler.source_text
    edits = [step.call.replaced_by(f"{scaler}.step({step.subject.source_text})")]
    if not routine.of(LoopEvent.SCALER_UPDATE):
        update = step.call.line_after(f"{scaler}.update()")
        if update is None:
            return None
        edits.append(update)
    return Fix("Step through the scaler", Safety.UNSAFE, tuple(edits))
