"""The model is put into evaluation mode in the loop, but back into training mode never."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trainlint.core.diagnosis import Diagnosis, Severity
from trainlint.core.fix import Fix, Safety
from trainlint.core.loop import LoopEvent
from trainlint.core.rule import Rule
from trainlint.static.model import Call, Driver, Event, FileModel, Loop, Routine

if TYPE_CHECKING:
    from collections.abc import Iterator

rule = Rule(__name__, "TL509", Severity.WARNING, fixable=Safety.UNSAFE)


@rule.check
def check(file: FileModel) -> Iterator[Diagnosis]:
    """Find loops that train and evaluate and never return to training mode."""
    told = set()
    for routine in file.routines():
        for evaluation in routine.of(LoopEvent.EVAL_MODE):
            pair = _training_loop(routine, evaluation)
            if pair is None or evaluation.call in told or evaluation.subject is None:
                continue
            loop, backward = pair
            if not _is_judged(file, evaluation, loop):
                continue
            told.add(evaluation.call)
            model = evaluation.subject
            before = [
                one
                for one in routine.of(LoopEvent.TRAIN_MODE)
                if one.same_subject(evaluation) and not one.inside(loop)
            ]
            yield rule.at(
                evaluation,
                f"{evaluation.call.quoted} runs in the training loop and `train()` does not, so the"
                " model is trained in evaluation mode from then on.",
                remedy=f"Call `{model.text}.train()` in the loop, before it trains again.",
                label="stays in evaluation mode",
                related=[
                    (backward, "trains in evaluation mode from the second round"),
                    *((one, "restores the mode only once") for one in before[:1]),
                ],
                fix=_fix(loop, evaluation, before),
            )


def _training_loop(routine: Routine, evaluation: Event) -> tuple[Loop, Event] | None:
    """Return the loop that evaluates and then trains again without any ``train()`` in it."""
    for loop in evaluation.loops:
        if any(one.inside(loop) for one in routine.of(LoopEvent.TRAIN_MODE)):
            continue
        backwards = [
            one
            for one in routine.of(LoopEvent.BACKWARD)
            if one.inside(loop) and one.driver is not Driver.LIGHTNING
        ]
        if not backwards or evaluation.ends(loop) or evaluation.made_in(loop):
            continue
        if not _trains(routine, evaluation, loop):
            continue
        trained_first = routine.position(backwards[0]) < routine.position(evaluation)
        if trained_first or evaluation.conditional_in(loop) or _only_evaluates(routine, evaluation):
            return loop, backwards[0]
    return None


def _trains(routine: Routine, evaluation: Event, loop: Loop) -> bool:
    """Say whether the loop trains the model that it evaluates."""
    steps = [one for one in routine.of(LoopEvent.STEP) if one.inside(loop)]
    if any(one.same_subject(evaluation) for one in steps):
        return True
    return any(
        one.inside(loop)
        and not one.without_gradient
        and one.same_subject(evaluation)
        and routine.position(one) < routine.position(evaluation)
        for one in routine.of(LoopEvent.FORWARD)
    ) and all(one.may_concern(evaluation) for one in steps)


def _only_evaluates(routine: Routine, evaluation: Event) -> bool:
    """Say whether the mode is set in a helper that computes without gradients."""
    return bool(evaluation.via) and any(
        one.without_gradient and one.via[: len(evaluation.via)] == evaluation.via
        for one in routine.of(LoopEvent.FORWARD)
    )


def _is_judged(file: FileModel, evaluation: Event, loop: Loop) -> bool:
    """Say whether the mode matters for the model and only this file sets it."""
    model = evaluation.subject
    if model is None or file.mode_dependence(model).is_free:
        return False
    if any(loop.runs(call) for call in file.handed_on(model)):
        return False
    return not any(
        file.events.classify(call) is None and not _is_function(call) and loop.runs(call)
        for call in file.method_calls("train")
    )


def _is_function(call: Call) -> bool:
    """Say whether a function of the file is called, whose events are part of the routine."""
    return call.receiver is None and call.target is not None


def _fix(loop: Loop, evaluation: Event, before: list[Event]) -> Fix | None:
    """Return the fix that restores the mode at the start of each round, where its model is in reach.

    A call right in front of the loop moves into it.
    """
    known = next((one.call for one in before if _is_beside(one, loop)), None)
    if known is not None:
        model = known.receiver
        start = loop.line_at_start(known.source_text)
    else:
        model = evaluation.subject if loop in evaluation.call.loops else None
        start = None if model is None else loop.line_at_start(f"{model.source_text}.train()")
    if start is None or model is None or not (model.is_name or model.is_attribute):
        return None
    removed = known.line_removed() if known is not None and loop.follows(known) else None
    edits = (start,) if removed is None else (removed, start)
    return Fix("Restore the mode in each round", Safety.UNSAFE, edits)


def _is_beside(event: Event, loop: Loop) -> bool:
    """Say whether a call puts a model into training mode in the function that has the loop."""
    call = event.call
    if call.args or call.keywords or not call.is_statement or call.model is not loop.model:
        return False
    return bool(call.blocks) and set(call.blocks) <= set(loop.blocks)
