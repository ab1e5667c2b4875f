"""The first drop of a schedule lies behind the end of the training."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trainlint.core.diagnosis import Diagnosis, Severity
from trainlint.core.loop import LoopEvent
from trainlint.core.rule import Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trainlint.static.model import Event, Expr, FileModel, Routine, Scheduler

rule = Rule(__name__, "TL427", Severity.WARNING)


@rule.check
def check(
    file: FileModel,
    *,
    meant: int = 10_000,  # nobody writes it by accident
) -> Iterator[Diagnosis]:
    """Compare the first drop of step schedules with how often the file steps them."""
    for scheduler in () if file.is_test else file.schedulers():
        first = _first_drop(scheduler)
        total = None if first is None else _steps(file, scheduler)
        if first is None or total is None or scheduler.call.expected_to_fail:
            continue
        place, drop = first
        count, event = total
        if not count <= drop < meant or count < 2:  # noqa: PLR2004 - a smoke test, or no loop at all
            continue
        what = "step_size" if scheduler.kind == "StepLR" else "first milestone"
        yield rule.at(
            scheduler,
            f"The {what} {drop:g} of {scheduler.call.called.quoted} is not under the {count} steps that"
            " the schedule takes, so the rate never drops.",
            remedy="Drop the rate within the training, for instance after a third and two thirds of it.",
            label="never drops the rate",
            related=[(place, "the first drop"), (event, f"runs {count} times")],
        )


def _first_drop(scheduler: Scheduler) -> tuple[Expr, float] | None:
    """Return after how many steps a schedule first changes the rate, and where that is written."""
    if scheduler.kind == "StepLR":
        place = scheduler.argument("step_size")
        value = None if place is None else place.number()
        return None if place is None or value is None else (place, value)
    place = scheduler.argument("milestones") if scheduler.kind == "MultiStepLR" else None
    values = None if place is None else place.literal()
    if place is None or not isinstance(values, tuple):
        return None
    numbers = [one for one in values if isinstance(one, int | float)]
    return (place, min(numbers)) if numbers and len(numbers) == len(values) else None


def _steps(file: FileModel, scheduler: Scheduler) -> tuple[int, Event] | None:
    """Return how often a schedule is stepped in all, if the file says it, and the step."""
    total, last = 0, None
    reads = file.reads_of(scheduler.call)
    for routine in file.routines():
        for event in routine.of(LoopEvent.SCHEDULER_STEP):
            if event.subject is None or scheduler.call not in event.subject.objects():
                continue
            count = event.times(scheduler.call)
            if count is None or not _is_whole(routine, event, scheduler):
                return None
            total, last = total + count, event
    if last is None or reads is None or last.subject is None or any(file.handed_on(last.subject)):
        return None
    return total, last


def _is_whole(routine: Routine, event: Event, scheduler: Scheduler) -> bool:
    """Say whether a routine shows the whole training: it makes the scheduler, or loops over epochs."""
    if routine.function == scheduler.call.function:
        return True
    return any(loop.over_epochs for loop in event.loops)
