"""A model is turned into half precision and then trained under autocast."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trainlint.core.diagnosis import Diagnosis, Severity
from trainlint.core.loop import LoopEvent
from trainlint.core.rule import Rule
from trainlint.static.model import Call, Driver, Event, Expr, FileModel

if TYPE_CHECKING:
    from collections.abc import Iterator

rule = Rule(__name__, "TL805", Severity.WARNING)

_AUTOCAST = {"torch.amp.autocast", "torch.cuda.amp.autocast"}
_ADAPTS = ("peft", "bitsandbytes", "apex", "deepspeed", "colossalai")
"""Packages that train other weights than those of the model, or keep a copy of them."""

_COPIES = r"fp32_?(param|weight|copy|master)|master_(param|weight)"


@rule.check
def check(file: FileModel) -> Iterator[Diagnosis]:
    """Find forward passes of training under autocast whose model surely has half weights."""
    told = set()
    for routine in file.routines():
        backwards = routine.of(LoopEvent.BACKWARD)
        scaled = any(one.scaled for one in backwards)
        for forward in routine.of(LoopEvent.FORWARD):
            context = _autocast(forward)
            if forward.subject is None or context is None or not _trains(file, forward, backwards):
                continue
            half = _half(forward)
            if half is None or half in told or any(_adapts(one) for one in forward.models):
                continue
            told.add(half)
            outcome = (
                "so the scaler refuses their gradients"
                if scaled
                else "so updates under 0.02 % of a weight are rounded away"
            )
            yield rule.at(
                half,
                f"{half.quoted} makes the weights float16, and {context.quoted} trains them so:"
                f" autocast keeps weights in float32 for the optimizer, {outcome}.",
                remedy="Leave the model in float32; autocast computes in float16 where that is safe.",
                label="weights in half precision",
                related=[(context, "meant for weights in float32")],
                severity=Severity.ERROR if scaled else rule.severity,
            )


def _adapts(file: FileModel) -> bool:
    """Say whether a file may train other weights than those of the model."""
    return file.imports(*_ADAPTS) or file.speaks_of(_COPIES)


def _autocast(forward: Event) -> Call | None:
    """Return the innermost autocast around a forward pass, if it is not switched off, or may be."""
    contexts = [one for call in (*forward.via, forward.call) for one in call.contexts]
    for context in reversed(contexts):
        if isinstance(context, Call) and context.callee in _AUTOCAST:
            old = context.callee == "torch.cuda.amp.autocast"
            enabled = context.argument(0 if old else 2, "enabled")
            is_on = enabled is None or enabled.truth() is True
            return context if is_on and not context.is_open else None
    return None


def _trains(file: FileModel, forward: Event, backwards: tuple[Event, ...]) -> bool:
    """Say whether a forward pass is part of a training whose optimizer holds the model."""
    model = forward.subject
    if model is None or forward.without_gradient:
        return False
    if not any(one.driver is Driver.PLAIN and not one.excludes(forward) for one in backwards):
        return False
    return any(
        file.identities.same(held, model) for one in file.optimizers() for held in one.models
    )


def _half(forward: Event) -> Expr | None:
    """Return where the model surely got half weights before a forward pass or a call that leads to it."""
    model = forward.subject
    for call in (forward.call, *reversed(forward.via)):
        if model is None:
            return None
        half = call.model.turned_into_half(model, before=call)
        if half is not None:
            return half
        passed = [
            one
            for one in (*call.args, *call.keywords.values())
            if call.model.identities.same(one, model)
        ]
        model = passed[0] if passed else model
    return None
