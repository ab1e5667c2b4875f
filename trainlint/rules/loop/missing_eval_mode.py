"""A model with dropout or batch normalisation is evaluated without evaluation mode."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from trainlint.core.diagnosis import Diagnosis, Severity
from trainlint.core.fix import Fix, Safety
from trainlint.core.loop import LoopEvent
from trainlint.core.rule import Rule
from trainlint.static.model import Driver, Purpose

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trainlint.static.model import Call, Event, Expr, FileModel, Routine

rule = Rule(__name__, "TL510", Severity.WARNING, fixable=Safety.UNSAFE)

_WANTS_TRAINING = re.compile(
    r"(^|_)mc(_|$)|monte|dropout|stochastic|bayes|uncertain|_bn|bn_|recalib|calibrat|swa",
    re.IGNORECASE,
)
"""Functions that evaluate in training mode on purpose, by their names."""

_TRAINS = re.compile(r"(fit|train)(_|$)", re.IGNORECASE)
"""Functions of other files that get the model to train it: evaluation is no matter of theirs."""


_RUNS = frozenset({Driver.ACCELERATE, Driver.FABRIC})
"""Who moves, wraps and saves a model, and leaves its mode to the loop."""


@rule.check
def check(file: FileModel) -> Iterator[Diagnosis]:
    """Find evaluation loops over models that nothing in the file puts into evaluation mode."""
    told = set()
    for routine in file.routines():
        for forward in routine.of(LoopEvent.FORWARD):
            model, place = forward.subject, _evaluation(file, routine, forward)
            if model is None or place is None or place.function in told:
                continue
            dependence = file.mode_dependence(model)
            known = dependence.sure
            if not known or _may_be_set(file, forward) or _in_lightning(file, forward):
                continue
            if dependence.starts_in_evaluation and not _is_trained(routine, model):
                continue
            told.add(place.function)
            yield rule.at(
                place,
                f"{model.quoted} is evaluated without `eval()`, so {known[0].quoted} behaves as in"
                " training.",
                remedy=f"Call `{model.text}.eval()` before the evaluation and `train()` after it.",
                label="evaluates in training mode",
                related=[
                    *([] if place == forward.call else [(forward, "the forward pass")]),
                    (known[0], "behaves differently in training"),
                    *_ways(file, forward, place),
                ],
                fix=_fix(routine, forward, place),
            )


def _ways(file: FileModel, forward: Event, place: Call) -> list[tuple[Call, str]]:
    """Return the call in the file that leads to an evaluation in another one."""
    here = [] if place.model is file else [one for one in forward.via if one.model is file]
    return [(one, "evaluates by this") for one in here[-1:]]


def _evaluation(file: FileModel, routine: Routine, forward: Event) -> Call | None:
    """Return the call that evaluates, if a forward pass is part of an evaluation: without gradients.

    It goes over batches; or its function says so by its name, and trains elsewhere: on one graph.
    """
    model = forward.subject
    if model is None or not forward.without_gradient:
        return None
    calls = (*forward.via, forward.call)
    functions = [call.function for call in calls]
    if any(_WANTS_TRAINING.search(one.name) for one in (*functions, routine.function) if one):
        return None
    backwards = routine.of(LoopEvent.BACKWARD)
    for loop in reversed(forward.loops):
        if loop.over_batches and not any(one.inside(loop) for one in backwards):
            return next((call for call in calls if loop in call.loops), forward.call)
    named = forward.call.function
    if named is None or Purpose.of(named.name) is not Purpose.EVALUATION:
        return None
    training = {one.call.function for one in backwards} - {named}
    return (
        forward.call
        if any(
            one.call.text == forward.call.text and one.call.function in training
            for one in routine.of(LoopEvent.FORWARD)
            if one.subject and not one.without_gradient and file.identities.same(one.subject, model)
        )
        else None
    )


def _may_be_set(file: FileModel, forward: Event) -> bool:
    """Say whether anything may put the model into evaluation mode, where it is made and on the way."""
    model = forward.subject
    if model is None:
        return True
    is_part = _is_part(file, forward)
    makers = (origin.model for origin in model.objects())
    for one in {id(one): one for one in (file, *forward.models, *makers)}.values():
        for call in one.handed_on(model):
            if call not in forward.via and not _leaves_mode(one, call):
                return True
        if any(True for _ in one.calls_to("torch.nn.Module.eval", "torch.nn.Module.train")):
            return True
        for call in one.method_calls("eval", "train"):
            if call.callee is not None or (call.method == "train" and not _passes_anything(call)):
                continue
            if call.receiver is None and call.target is not None:
                continue  # A function of the project, whose calls are looked at themselves.
            if is_part or call.receiver is None:
                return True
            if file.identities.may_be_same(call.receiver, model):
                return True
    return False


def _is_part(file: FileModel, forward: Event) -> bool:
    """Say whether a method of a model runs a layer of it, whose mode is that of the whole model."""
    model = forward.subject
    around = file.module_around(forward.call)
    return around is not None and model is not None and model.text.startswith("self.")


def _leaves_mode(file: FileModel, call: Call) -> bool:
    """Say whether what gets the model leaves its mode: a framework, or a training that never ends it."""
    if call.receiver is not None and file.events.driver(call.receiver) in _RUNS:
        return True
    if (call.callee or "").startswith("transformers.DataCollator"):
        return True
    if not _TRAINS.match(call.method or ""):
        return False
    target = call.target
    return target is None or "eval" not in target.index.calls


def _passes_anything(call: Call) -> bool:
    """Say whether a call has any argument."""
    return bool(call.args or call.keywords)


def _is_trained(routine: Routine, model: Expr) -> bool:
    """Say whether a routine puts a model into training mode."""
    return any(
        one.subject is not None and one.subject.same_as(model)
        for one in routine.of(LoopEvent.TRAIN_MODE)
    )


def _in_lightning(file: FileModel, forward: Event) -> bool:
    """Say whether Lightning sets the mode."""
    around = file.module_around(forward.call)
    return around is not None and around.is_lightning


def _fix(routine: Routine, forward: Event, place: Call) -> Fix | None:
    """Return the fix that sets the mode before the evaluation, and back behind it if training goes on."""
    model = forward.subject
    if model is None or place != forward.call or not (model.is_name or model.is_attribute):
        return None
    backwards = routine.of(LoopEvent.BACKWARD)
    loops = [
        loop
        for loop in place.loops
        if loop.over_batches
        and not forward.made_in(loop)
        and not any(one.inside(loop) for one in backwards)
    ]
    # A function may be called by a training in another file.
    back = f"{model.source_text}.train()" if place.function or backwards else None
    edits = place.put_around(f"{model.source_text}.eval()", back, loops)
    return Fix("Evaluate in evaluation mode", Safety.UNSAFE, edits) if edits else None
