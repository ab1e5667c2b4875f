"""A scheduler is built and never stepped, so the learning rate stays what it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trainlint.core.diagnosis import Diagnosis, Severity
from trainlint.core.loop import LoopEvent
from trainlint.core.rule import Rule
from trainlint.static.model import Driver

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trainlint.static.model import Event, Expr, FileModel, Scheduler

rule = Rule(__name__, "TL424", Severity.WARNING)

_READS_ONLY = frozenset({"state_dict", "load_state_dict", "get_last_lr", "get_lr", "last_epoch"})


@rule.check
def check(file: FileModel) -> Iterator[Diagnosis]:
    """Find schedulers that nothing reads in files whose loop steps their optimizer."""
    if file.is_test or _reads_by_name(file):
        return
    for scheduler in file.schedulers():
        step = _step(file, scheduler)
        if step is None or scheduler.call.expected_to_fail or not _is_idle(file, scheduler):
            continue
        yield rule.at(
            scheduler,
            f"{scheduler.call.quoted} is never stepped, so the learning rate never changes.",
            remedy="Call its `step()` in the training loop, after that of the optimizer.",
            label="never stepped",
            related=[(step, "steps its optimizer only")],
        )


def _step(file: FileModel, scheduler: Scheduler) -> Event | None:
    """Return the step of the scheduled optimizer in a loop of the file."""
    for routine in file.routines():
        for step in routine.of(LoopEvent.STEP):
            if step.subject is None or step.loop is None or step.driver is not Driver.PLAIN:
                continue
            if scheduler.drives(step.subject):
                return step
    return None


def _is_idle(file: FileModel, scheduler: Scheduler) -> bool:
    """Say whether nothing in the file, or outside of it, can step a scheduler."""
    if scheduler.call.is_statement:
        return True
    reads = file.reads_of(scheduler.call)
    kept = scheduler.call.assigned_to
    if reads is None or kept is None or "." in kept:
        return False
    return all(_looks_only(read) for read in reads)


def _looks_only(read: Expr) -> bool:
    """Say whether a read of the scheduler asks for its state or its rate, and no more."""
    around = read.attribute_around
    return around is not None and around.name in _READS_ONLY


def _reads_by_name(file: FileModel) -> bool:
    """Say whether the file may read its variables other than by writing their names."""
    return any(True for _ in file.calls_to("builtins.locals", "builtins.globals", "builtins.vars"))
