"""The training always runs for the same number of epochs, and keeps the last weights."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trainlint.core.diagnosis import Diagnosis, Severity
from trainlint.core.loop import LoopEvent
from trainlint.core.rule import Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trainlint.static.model import Event, FileModel, Loop, Routine

rule = Rule(__name__, "TL514", Severity.ADVICE)

_ENDS_AT_ZERO = {"CosineAnnealingLR", "OneCycleLR", "PolynomialLR"}
"""Schedules that are made for a fixed number of steps."""


@rule.check
def check(file: FileModel) -> Iterator[Diagnosis]:
    """Find loops over a fixed number of epochs in files that know no better end."""
    if file.is_test or file.speaks_of(r"early_?stop|patience|(^|_)best|best(_|$)"):
        return
    if any(scheduler.kind in _ENDS_AT_ZERO for scheduler in file.schedulers()):
        return
    told: set[Loop] = set()
    for routine in file.routines():
        if not routine.is_plain:
            continue
        for step in routine.of(LoopEvent.STEP):
            loop = _epochs(step)
            if (
                loop is None
                or loop.iterable is None
                or loop in told
                or (len(step.loops) == 1 and not _evaluates(file))
                or _trains_several(routine, step, loop)
            ):
                continue
            told.add(loop)
            epochs = "a fixed number of" if loop.count is None else str(loop.count)
            yield rule.at(
                loop,
                f"The training over {loop.iterable.quoted} runs for {epochs} epochs whatever the"
                " validation loss says: too few, or so many that the last weights are overfitted.",
                remedy="Stop when the validation loss has not improved for some epochs, and keep the"
                " best weights.",
                label="always the same number",
                related=[(step, "trains")],
            )


def _epochs(step: Event) -> Loop | None:
    """Return the loop over epochs, the outermost of the loops, that repeats a step in no other way."""
    loop = step.loops[0] if step.loops else None
    if loop is None or loop.iterable is None or not loop.over_epochs:
        return None
    return None if loop.count == 1 or loop.can_end_early else loop


def _evaluates(file: FileModel) -> bool:
    """Say whether the file looks at its model without training it: it could know when to stop."""
    events = [event for routine in file.routines() for event in routine.events]
    return any(one.kind is LoopEvent.EVAL_MODE or one.without_gradient for one in events)


def _trains_several(routine: Routine, step: Event, loop: Loop) -> bool:
    """Say whether the loop steps with optimizers that are not surely one: an adversarial pair."""
    steps = [one for one in routine.of(LoopEvent.STEP) if one.inside(loop)]
    return not all(one.call == step.call or one.same_subject(step) for one in steps)
