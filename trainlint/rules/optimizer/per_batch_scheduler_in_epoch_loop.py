"""A scheduler that counts batches is stepped once per epoch and hardly moves."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trainlint.core.diagnosis import Diagnosis, Severity
from trainlint.core.loop import LoopEvent
from trainlint.core.rule import Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trainlint.static.model import Event, Expr, FileModel, Routine, Scheduler

rule = Rule(__name__, "TL408", Severity.WARNING)


@rule.check
def check(file: FileModel) -> Iterator[Diagnosis]:
    """Find schedules over batches that take their steps outside of the loop over the batches."""
    told = set()
    for routine in file.routines():
        for event in routine.of(LoopEvent.SCHEDULER_STEP):
            schedulers = event.schedulers
            if not schedulers or event.call in told or not all(map(_counts_batches, schedulers)):
                continue
            step = _step_per_batch(routine, event, schedulers)
            if step is None or event.subject is None or any(file.handed_on(event.subject)):
                continue
            told.add(event.call)
            kind = schedulers[0].kind
            yield rule.at(
                event,
                f"{event.call.quoted} runs once per epoch, but the {kind} counts batches: it hardly gets"
                " beyond the start of its schedule.",
                remedy="Step it in the loop over the batches, right after the optimizer.",
                label="once per epoch",
                related=[(schedulers[0], "counts batches"), (step, "runs for each batch")],
            )


def _counts_batches(scheduler: Scheduler) -> bool:
    """Say whether the length of a schedule is seen to be a number of batches."""
    if scheduler.call.is_open:
        return False
    if scheduler.kind == "OneCycleLR":
        per_epoch, total = scheduler.argument("steps_per_epoch"), scheduler.argument("total_steps")
        if per_epoch is None or total is not None:
            return _has_length(total)
        return (per_epoch.number() or 0) > 1 or _has_length(per_epoch)
    if scheduler.kind == "CyclicLR":
        up = scheduler.argument("step_size_up")
        return up is None or _has_length(up)
    return False


def _has_length(horizon: Expr | None) -> bool:
    """Say whether a horizon is computed with the length of something: the number of batches."""
    return horizon is not None and horizon.measures_length


def _step_per_batch(
    routine: Routine, event: Event, schedulers: tuple[Scheduler, ...]
) -> Event | None:
    """Return the step of the optimizer that a loop inside that of the scheduler repeats."""
    epochs = event.loop
    if epochs is None or epochs.over_batches:
        return None
    depth = len(event.loops)
    for step in routine.of(LoopEvent.STEP):
        if step.subject is None or not all(one.drives(step.subject) for one in schedulers):
            continue
        inner = step.loops[depth:]
        if step.loops[:depth] != event.loops or not inner:
            return None
        if epochs.over_epochs or inner[0].over_batches:
            return step
    return None
