"""A scheduler waits for a plateau of the wrong kind: it takes a rising accuracy for a failure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trainlint.core.diagnosis import Diagnosis, Severity
from trainlint.core.fix import Fix, Safety
from trainlint.core.loop import LoopEvent
from trainlint.core.rule import Rule
from trainlint.static.model import Goal

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trainlint.static.model import Expr, FileModel, Scheduler

rule = Rule(__name__, "TL423", Severity.WARNING, fixable=Safety.UNSAFE)


@rule.check
def check(file: FileModel) -> Iterator[Diagnosis]:
    """Compare the mode of each ``ReduceLROnPlateau`` with what the names of its metric say."""
    told = set()
    for scheduler, metric in () if file.is_test else _metrics(file):
        mode, goal = _mode(scheduler), file.goal_of(metric)
        if goal is None or mode is None or mode == goal or scheduler.call in told:
            continue
        if scheduler.call.expected_to_fail or _drives_nothing(file, scheduler):
            continue
        told.add(scheduler.call)
        better = "higher" if goal is Goal.MAX else "lower"
        yield rule.at(
            scheduler,
            f'{scheduler.call.called.quoted} has the mode "{mode}", but {metric.quoted} is better when it'
            f" is {better}: the rate falls while the model improves.",
            remedy=f'Pass `mode="{goal}"`.',
            label=f'mode "{mode}"',
            related=[(metric, f"{better} is better")],
            fix=_fix(scheduler, goal),
        )


def _metrics(file: FileModel) -> Iterator[tuple[Scheduler, Expr]]:
    """Yield the schedulers that wait for a plateau, each with what they are told to watch."""
    for routine in file.routines():
        for event in routine.of(LoopEvent.SCHEDULER_STEP):
            metric = event.call.argument(0, "metrics")
            if metric is not None and len(event.schedulers) == 1:
                yield from ((one, metric) for one in event.schedulers if _waits(one))
    for scheduler in file.schedulers():
        if _waits(scheduler):
            for entries in file.entries_beside(scheduler.call):
                if "monitor" in entries:
                    yield scheduler, entries["monitor"]
                    break


def _waits(scheduler: Scheduler) -> bool:
    """Say whether a scheduler waits for a plateau."""
    return scheduler.kind == "ReduceLROnPlateau" and not scheduler.call.is_open


def _mode(scheduler: Scheduler) -> str | None:
    """Return the mode of a scheduler, None if it is not known."""
    mode = scheduler.argument("mode")
    return "min" if mode is None else mode.string()


def _fix(scheduler: Scheduler, goal: Goal) -> Fix | None:
    """Return the edit that passes the right mode; None where the mode is written elsewhere."""
    mode = scheduler.argument("mode")
    if mode is None:
        edit = scheduler.call.with_argument("mode", f'"{goal}"')
    elif mode.origins() == (mode,):
        quote = mode.source_text[-1]
        edit = mode.replaced_by(f"{quote}{goal}{quote}")
    else:
        return None
    return Fix(f"Pass the mode `{goal}`", Safety.UNSAFE, (edit,))


def _drives_nothing(file: FileModel, scheduler: Scheduler) -> bool:
    """Say whether the rate of what it schedules is 0: a stand-in that is not meant to learn."""
    return any(
        optimizer.number("lr") == 0 and scheduler.may_drive(optimizer)
        for optimizer in file.optimizers()
    )
