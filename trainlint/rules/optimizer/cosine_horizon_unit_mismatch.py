"""A cosine schedule counts epochs but is stepped for each batch, or the other way round."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from trainlint.core.diagnosis import Diagnosis, Severity
from trainlint.core.loop import LoopEvent
from trainlint.core.rule import Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trainlint.static.model import Event, Expr, FileModel, Loop, Routine, Scheduler

rule = Rule(__name__, "TL422", Severity.WARNING)

_HORIZONS = {"CosineAnnealingLR": "T_max", "CosineAnnealingWarmRestarts": "T_0"}
_EPOCHS = re.compile(r"epoch", re.IGNORECASE)
_BATCHES = re.compile(r"batch|step|iter|len|size|per|total|loader", re.IGNORECASE)


@rule.check
def check(file: FileModel) -> Iterator[Diagnosis]:
    """Compare what the horizon of a cosine counts with the loop that steps it."""
    told = set()
    for routine in file.routines():
        for event in routine.of(LoopEvent.SCHEDULER_STEP):
            found = _mismatch(routine, event)
            if found is None or event.call in told or event.call.expected_to_fail:
                continue
            if file.hides_steps(event):
                continue
            scheduler, horizon, per_batch = found
            told.add(event.call)
            unit, runs = (
                ("epochs", "for each batch") if per_batch else ("batches", "once per epoch")
            )
            harm = (
                "the rate goes down and up again every few batches"
                if per_batch
                else "the rate hardly leaves its start"
            )
            yield rule.at(
                event,
                f"{event.call.quoted} runs {runs}, but {horizon.quoted} counts {unit}: {harm}.",
                remedy=f"Step it once per epoch, or pass `{_HORIZONS[scheduler.kind]}` in batches."
                if per_batch
                else f"Step it for each batch, or pass `{_HORIZONS[scheduler.kind]}` in epochs.",
                label=runs,
                related=[(horizon, f"counts {unit}")],
            )


def _mismatch(routine: Routine, event: Event) -> tuple[Scheduler, Expr, bool] | None:
    """Return the schedule whose horizon is in another unit than its steps, and if those are batches."""
    loop = event.loop
    if len(event.schedulers) != 1 or loop is None or event.conditional_in(loop):
        return None
    scheduler = event.schedulers[0]
    horizon = scheduler.argument(_HORIZONS.get(scheduler.kind, ""))
    if horizon is None or event.call.args or event.call.keywords or scheduler.call.is_open:
        return None
    if loop.over_batches:
        epochs = next((one for one in event.loops[-2::-1] if one.over_epochs), None)
        if epochs is not None and not loop.runs(scheduler.call) and _counts_epochs(horizon, epochs):
            return scheduler, horizon, True
        return None
    if (
        loop.over_epochs
        and _counts_batches(horizon)
        and _has_step_inside(routine, event, scheduler)
    ):
        return scheduler, horizon, False
    return None


def _counts_epochs(horizon: Expr, epochs: Loop) -> bool:
    """Say whether a horizon is a number of epochs: by its name, or as many as the loop has."""
    if horizon.measures_length:
        return False
    parts = [part for one in (horizon, *horizon.origins()) for part in one.parts()]
    names = [part.name or part.key or "" for part in parts if part.name != "int"]
    if any(part.operator in {"Mult", "Div", "FloorDiv"} for part in parts):
        return False
    if any(_BATCHES.search(name) for name in names):
        return False
    if any(_EPOCHS.search(name) for name in names):
        return True
    number = horizon.number()
    return number is not None and number == epochs.count and number > 1


def _counts_batches(horizon: Expr) -> bool:
    """Say whether a horizon is computed with the length of a loader."""
    return any(horizon.model.is_loader(measured) for measured in horizon.measured)


def _has_step_inside(routine: Routine, event: Event, scheduler: Scheduler) -> bool:
    """Say whether a loop over batches inside that of the scheduler steps its optimizer."""
    depth = len(event.loops)
    return any(
        step.loops[:depth] == event.loops
        and any(loop.over_batches for loop in step.loops[depth:])
        and step.subject is not None
        and scheduler.drives(step.subject, event.maker)
        for step in routine.of(LoopEvent.STEP)
    )
