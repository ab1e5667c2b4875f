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

_LIGHTNING_COUNTS = frozenset({"estimated_stepping_batches", "num_training_batches"})
_HARDLY = 10
"""A schedule of more than ten times as many steps as there are epochs was made for batches."""


@rule.check
def check(file: FileModel) -> Iterator[Diagnosis]:
    """Find schedules over batches that take their steps outside of the loop over the batches."""
    told = set()
    for routine in file.routines():
        for event in routine.of(LoopEvent.SCHEDULER_STEP):
            schedulers = event.schedulers
            if not schedulers or event.call in told:
                continue
            if not all(_counts_batches(one) or _is_too_long(one, event) for one in schedulers):
                continue
            step = _step_per_batch(routine, event, schedulers)
            if step is None or file.hides_steps(event):
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
    for place, scheduler in file.epoch_schedules():
        if _counts_batches(scheduler) and not scheduler.call.expected_to_fail:
            yield rule.at(
                place,
                f"{place.quoted} names no interval, so Lightning steps the {scheduler.kind} once per epoch"
                " and it hardly gets beyond the start of its schedule, which counts batches.",
                remedy='Return a dict: `{"scheduler": ..., "interval": "step"}`.',
                label="once per epoch",
                related=[(scheduler, "counts batches")],
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
    if horizon is None:
        return False
    parts = [part for origin in horizon.origins() for part in origin.parts()]
    return horizon.measures_length or any(part.name in _LIGHTNING_COUNTS for part in parts)


def _is_too_long(scheduler: Scheduler, event: Event) -> bool:
    """Say whether all the epochs of the file are but a small part of a horizon written as a number."""
    name = {"OneCycleLR": "total_steps", "CyclicLR": "step_size_up"}.get(scheduler.kind)
    horizon = None if name is None else scheduler.argument(name)
    steps = None if horizon is None else horizon.number()
    rounds = event.times(scheduler.call)
    return steps is not None and rounds is not None and steps >= _HARDLY * rounds > _HARDLY


def _step_per_batch(
    routine: Routine, event: Event, schedulers: tuple[Scheduler, ...]
) -> Event | None:
    """Return the step of the optimizer that a loop inside that of the scheduler repeats."""
    epochs = event.loop
    if epochs is None or epochs.over_batches:
        return None
    depth = len(event.loops)
    for step in routine.of(LoopEvent.STEP):
        if step.subject is None or not all(
            one.drives(step.subject, event.maker) for one in schedulers
        ):
            continue
        inner = step.loops[depth:]
        if step.loops[:depth] != event.loops or not inner:
            return None
        if epochs.over_epochs or inner[0].over_batches:
            return step
    return None
