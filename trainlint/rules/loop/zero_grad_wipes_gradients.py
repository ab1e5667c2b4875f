"""Gradients are cleared between the backward pass and the step that should use them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trainlint.core.diagnosis import Diagnosis, Severity
from trainlint.core.fix import Edit, Fix, Safety
from trainlint.core.loop import LoopEvent
from trainlint.core.rule import Rule
from trainlint.static.model import Driver, Event, FileModel, Routine

if TYPE_CHECKING:
    from collections.abc import Iterator

rule = Rule(__name__, "TL502", Severity.ERROR, fixable=Safety.UNSAFE)


@rule.check
def check(file: FileModel) -> Iterator[Diagnosis]:
    """Find clearings after which a step comes without a backward pass in between."""
    told = set()
    for routine in file.routines():
        for clearing in routine.of(LoopEvent.ZERO_GRAD):
            if clearing.driver is not Driver.PLAIN or clearing.call in told:
                continue
            step = _step_without_gradients(routine, clearing)
            backward = _wiped(routine, clearing)
            if step is None or backward is None or file.writes_gradients:
                continue
            if step.excludes(backward) or any(
                call.order > backward.call.order and call.function == clearing.call.function
                for call in file.handed_on(step.subject or step.call)
            ):
                continue
            told.add(clearing.call)
            edits = _edits(clearing, backward)
            yield rule.at(
                clearing,
                f"{clearing.call.quoted} clears the gradients that {backward.call.quoted} computed,"
                f" so {step.call.quoted} finds none.",
                remedy="Clear the gradients before `backward()` or after `step()`.",
                label="clears the gradients",
                related=[(backward, "computed here"), (step, "needed here")],
                fix=Fix("Clear the gradients before the backward pass", Safety.UNSAFE, edits)
                if edits
                else None,
            )


def _step_without_gradients(routine: Routine, clearing: Event) -> Event | None:
    """Return the step of the cleared optimizer that follows with no backward in between."""
    for event in routine.events[routine.position(clearing) + 1 :]:
        if event.kind is LoopEvent.BACKWARD:
            return None
        if event.kind is LoopEvent.STEP and event.same_subject(clearing):
            takes_closure = len(event.call.args) > (1 if event.scaled else 0)
            runs_next = event.loops == clearing.loops and clearing.always_before(event)
            return event if runs_next and not takes_closure else None
    return None


def _wiped(routine: Routine, clearing: Event) -> Event | None:
    """Return the backward pass before a clearing, unless a step used it already."""
    for event in reversed(routine.events[: routine.position(clearing)]):
        if event.kind is LoopEvent.STEP and not event.excludes(clearing):
            return None
        if event.kind is LoopEvent.BACKWARD and not event.excludes(clearing):
            inside = event.loops[: len(clearing.loops)] == clearing.loops
            return event if inside and event.driver is Driver.PLAIN else None
    return None


def _edits(clearing: Event, backward: Event) -> tuple[Edit, ...]:
    """Return the edits that move the clearing before the backward, where both stand in one block."""
    if clearing.call.blocks != backward.call.blocks:
        return ()
    return clearing.call.moved(before=backward.call)
