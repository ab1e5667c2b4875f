"""The scheduler steps before the optimizer and skips the first value of its schedule."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trainlint.core.diagnosis import Diagnosis, Severity
from trainlint.core.fix import Fix, Safety
from trainlint.core.loop import LoopEvent
from trainlint.core.rule import Rule
from trainlint.static.model import Driver, Event, FileModel, Routine

if TYPE_CHECKING:
    from collections.abc import Iterator

rule = Rule(__name__, "TL407", Severity.WARNING, fixable=Safety.UNSAFE)


@rule.check
def check(file: FileModel) -> Iterator[Diagnosis]:
    """Find steps of schedulers that surely run before the first step of their optimizer."""
    told = set()
    for routine in file.routines():
        for event in routine.of(LoopEvent.SCHEDULER_STEP):
            step = _step_after(routine, event)
            if step is None or event.call in told or event.call.expected_to_fail:
                continue
            told.add(event.call)
            together = event.call.blocks == step.call.blocks
            edits = event.call.moved(after=step.call) if together else ()
            yield rule.at(
                event,
                f"{event.call.quoted} runs before {step.call.quoted}, so the first value of the"
                " schedule is skipped.",
                remedy="Step the optimizer first, the scheduler after it.",
                label="too early",
                related=[(step, "the step of the optimizer")],
                fix=Fix("Step the scheduler after the optimizer", Safety.UNSAFE, edits)
                if edits
                else None,
            )


def _step_after(routine: Routine, event: Event) -> Event | None:
    """Return the step of the scheduled optimizer that follows in each round, if none comes before."""
    schedulers, here = event.schedulers, routine.position(event)
    plateau = any(one.kind == "ReduceLROnPlateau" for one in schedulers)
    if not schedulers or (event.call.args and not plateau) or "epoch" in event.call.keywords:
        return None
    for number, step in enumerate(routine.events):
        if step.kind is not LoopEvent.STEP or step.subject is None:
            continue
        if number < here:
            if not step.excludes(event) and any(one.may_step(step.subject) for one in schedulers):
                return None
        elif all(one.drives(step.subject) for one in schedulers):
            return step if _in_each_round(event, step, plateau=plateau) else None
    return None


def _in_each_round(event: Event, step: Event, *, plateau: bool) -> bool:
    """Say whether the two belong to one round of a loop, or to one straight line.

    A scheduler that waits for a plateau may be told before the epoch how the last one went.
    """
    if step.driver is not Driver.PLAIN or not event.always_before(step):
        return False
    return event.loops == step.loops or (event.loop is not None and not plateau)
