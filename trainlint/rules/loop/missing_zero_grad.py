"""The loop steps on gradients that are never cleared."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trainlint.core.diagnosis import Diagnosis, Severity
from trainlint.core.fix import Fix, Safety
from trainlint.core.loop import LoopEvent
from trainlint.core.rule import Rule
from trainlint.static.model import Call, Driver, Event, FileModel, Loop, Routine

if TYPE_CHECKING:
    from collections.abc import Iterator

rule = Rule(__name__, "TL501", Severity.ERROR, fixable=Safety.UNSAFE)

_LEAVES_CLEARING = frozenset({Driver.PLAIN, Driver.FABRIC})
"""Who leaves it to the loop to clear. Accelerate may be told from outside to run DeepSpeed, which does."""


@rule.check
def check(file: FileModel) -> Iterator[Diagnosis]:
    """Find optimizer steps in a loop with ``backward()`` whose gradients nobody clears."""
    told = set()
    for routine in () if file.is_test else file.routines():
        if not routine.drivers <= _LEAVES_CLEARING:
            continue
        for step in routine.of(LoopEvent.STEP):
            pair = _loop_with_backward(routine, step)
            if pair is None or step.call in told or step.call.expected_to_fail:
                continue
            loop, backward = pair
            if _may_be_cleared(file, step, loop) or _strategy_may_clear(backward):
                continue
            told.add(step.call)
            subject = step.subject or step.call
            yield rule.at(
                step,
                f"The gradients of {subject.quoted} are never cleared: each step uses the sum of all"
                " gradients so far.",
                remedy=f"Call `{subject.text}.zero_grad()` once per step, before `backward()`.",
                label="steps on accumulated gradients",
                related=[(backward, "adds to the gradients of earlier steps")],
                fix=_fix(step, backward),
            )


def _loop_with_backward(routine: Routine, step: Event) -> tuple[Loop, Event] | None:
    """Return the innermost loop that repeats both a step and a backward, and that backward."""
    takes = 1 if step.scaled else 0
    if len(step.call.args) + len(step.call.keywords) > takes or step.subject is None:
        return None
    for loop in reversed(step.loops):
        for backward in routine.of(LoopEvent.BACKWARD):
            if backward.inside(loop) and not backward.excludes(step):
                return (loop, backward) if not step.made_in(loop) else None
    return None


def _may_be_cleared(file: FileModel, step: Event, loop: Loop) -> bool:
    """Say whether anything in the file may clear the gradients that a step uses."""
    if file.writes_gradients or _cleared_by_name(file, step):
        return True
    subject = step.subject
    if subject is None or _is_foreign(file, step):
        return True
    return any(loop.runs(call) for call in file.handed_on(subject))


def _strategy_may_clear(backward: Event) -> bool:
    """Say whether Fabric may run the backward pass by a strategy that clears by itself: DeepSpeed's."""
    if backward.driver is not Driver.FABRIC or backward.call.receiver is None:
        return False
    for fabric in backward.call.receiver.objects():
        if not isinstance(fabric, Call) or fabric.is_open:
            return True
        strategy = fabric.argument(1, "strategy")
        told = "" if strategy is None else strategy.string()
        if told is None or "deepspeed" in told:
            return True
    return False


def _cleared_by_name(file: FileModel, step: Event) -> bool:
    """Say whether a call clears, by its name, what may be the gradients of a step."""
    clearings = [event for routine in file.routines() for event in routine.of(LoopEvent.ZERO_GRAD)]
    if any(event.may_concern(step) for event in clearings):
        return True
    known = {event.call for event in clearings}
    names = ("zero_grad", "zero_grads", "reset_grad", "reset_grads", "clear_grad", "clear_grads")
    return any(call.target is None and call not in known for call in file.method_calls(*names))


def _is_foreign(file: FileModel, step: Event) -> bool:
    """Say whether the optimizer is of a class of another package, which may clear by itself."""
    if step.driver is not Driver.PLAIN or step.subject is None:
        return True
    known = {optimizer.call for optimizer in file.optimizers()}
    return any(
        isinstance(origin, Call)
        and origin.callee is not None
        and not origin.callee.startswith("torch.")
        and origin.callee.rpartition(".")[2][:1].isupper()
        and origin not in known
        for origin in step.subject.objects()
    )


def _fix(step: Event, backward: Event) -> Fix | None:
    """Return the fix that clears before the backward, where both stand in one block."""
    if step.subject is None or step.call.blocks != backward.call.blocks:
        return None
    edit = backward.call.line_before(f"{step.subject.source_text}.zero_grad()")
    if edit is None:
        return None
    return Fix("Clear the gradients before the backward pass", Safety.UNSAFE, (edit,))
