"""Gradients are cleared for every micro-batch but stepped only every few."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trainlint.core.diagnosis import Diagnosis, Severity
from trainlint.core.fix import Fix, Safety
from trainlint.core.loop import LoopEvent
from trainlint.core.rule import Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trainlint.static.model import Event, Expr, FileModel, Loop, Routine

rule = Rule(__name__, "TL504", Severity.WARNING, fixable=Safety.UNSAFE)


@rule.check
def check(file: FileModel) -> Iterator[Diagnosis]:
    """Find clearings in every iteration of a loop that steps every few iterations."""
    told = set()
    for routine in file.routines():
        if not routine.is_plain:
            continue
        for step in routine.of(LoopEvent.STEP):
            for clearing in _too_often(routine, step):
                if not clearing.same_subject(step) or clearing.call in told:
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


def _too_often(routine: Routine, step: Event) -> Iterator[Event]:
    """Yield the clearings that run for every batch where a step runs every few."""
    loop = step.loop
    if loop is None:
        yield from _in_one_call(routine, step)
    elif _accumulates(routine, step, loop):
        for clearing in routine.of(LoopEvent.ZERO_GRAD):
            if clearing.loop == loop and not clearing.conditional_in(loop):
                yield clearing


def _in_one_call(routine: Routine, step: Event) -> Iterator[Event]:
    """Yield the clearings of a function that somebody calls for every batch: no loop is in sight.

    There the words must say that it accumulates.
    """
    counting = {
        test for test, _ in step.call.decided_by if test.counts_iterations and _accumulation(test)
    }
    others = [one for one in routine.of(LoopEvent.STEP) if one is not step]
    if not counting or step.via or any(one.same_subject(step) for one in others):
        return
    always = [
        one
        for one in routine.of(LoopEvent.BACKWARD, LoopEvent.ZERO_GRAD)
        if not one.via
        and one.always_before(step)
        and counting.isdisjoint(test for test, _ in one.call.decided_by)
    ]
    if any(one.kind is LoopEvent.BACKWARD for one in always):
        yield from (one for one in always if one.kind is LoopEvent.ZERO_GRAD)


def _accumulation(test: Expr) -> bool:
    """Say whether a test, or what it names, speaks of accumulation."""
    named = [origin for part in test.parts() for origin in (part, *part.origins())]
    return any("accum" in one.text.lower() for one in named)


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
