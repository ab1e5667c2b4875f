"""Gradients are cleared for every micro-batch but stepped only every few."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trainlint.core.diagnosis import Diagnosis, Severity
from trainlint.core.fix import Fix, Safety
from trainlint.core.loop import LoopEvent
from trainlint.core.rule import Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trainlint.static.model import Event, FileModel, Loop, Routine

rule = Rule(__name__, "TL504", Severity.WARNING, fixable=Safety.UNSAFE)


@rule.check
def check(file: FileModel) -> Iterator[Diagnosis]:
    """Find clearings in every iteration of a loop that steps every few iterations."""
    told = set()
    for routine in file.routines():
        if not routine.is_plain:
            continue
        for step in routine.of(LoopEvent.STEP):
            loop = step.loop
            if loop is None or not _accumulates(routine, step, loop):
                continue
            for clearing in routine.of(LoopEvent.ZERO_GRAD):
                if (
                    clearing.loop != loop
                    or clearing.conditional_in(loop)
                    or not clearing.same_subject(step)
                    or clearing.call in told
                ):
                    continue
                told.add(clearing.call)
                edits = clearing.call.moved(after=step.call)
                yield rule.at(
                    clearing,
                    f"{clearing.call.quoted} runs for every batch but {step.call.quoted} only every"
                    " few, so the gradients of all batches but the last are lost.",
                    remedy="Clear the gradients right after the step, under the same condition.",
                    label="clears in every iteration",
                    related=[(step, "steps every few iterations")],
                    fix=Fix("Clear the gradients after the step", Safety.UNSAFE, edits)
                    if edits
                    else None,
                )


def _accumulates(routine: Routine, step: Event, loop: Loop) -> bool:
    """Say whether each iteration computes gradients and only some, by number, step."""
    if not any(test.counts_iterations for test in step.conditions_in(loop)):
        return False
    others = [one for one in routine.of(LoopEvent.STEP) if one is not step and one.inside(loop)]
    if any(one.same_subject(step) for one in others):
        return False
    backwards = [one for one in routine.of(LoopEvent.BACKWARD) if one.inside(loop)]
    return any(one.loop == loop and not one.conditional_in(loop) for one in backwards) and not any(
        not one.always_before(step) or one.conditional_in(loop) for one in backwards
    )
