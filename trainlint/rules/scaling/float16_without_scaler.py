"""The forward pass runs in float16, but the loss is not scaled."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trainlint.core.diagnosis import Diagnosis, Severity
from trainlint.core.loop import LoopEvent
from trainlint.core.rule import Rule
from trainlint.static.model import Call, Driver, Event, Expr, FileModel, Routine

if TYPE_CHECKING:
    from collections.abc import Iterator

rule = Rule(__name__, "TL802", Severity.WARNING)

_AUTOCAST = {"torch.amp.autocast", "torch.cuda.amp.autocast"}


@rule.check
def check(file: FileModel) -> Iterator[Diagnosis]:
    """Find float16 autocast blocks whose loss is differentiated without a GradScaler."""
    if file.speaks_of("scaler|scale_loss"):
        return
    told = set()
    for routine in file.routines():
        if not routine.is_plain or not routine.of(LoopEvent.STEP):
            continue
        for backward in routine.of(LoopEvent.BACKWARD):
            if backward.scaled or backward.driver is not Driver.PLAIN or _by_hand(backward):
                continue
            for context in _contexts(routine, backward):
                if context in told or not _is_float16(context):
                    continue
                told.add(context)
                yield rule.at(
                    context,
                    f"{context.quoted} computes in float16, but {backward.call.quoted} is not scaled,"
                    " so gradients under 6e-8 become zero.",
                    remedy="Scale the loss with `torch.amp.GradScaler`, or use"
                    " `dtype=torch.bfloat16`.",
                    label="float16 from here",
                    related=[(backward, "differentiates an unscaled loss")],
                )


def _contexts(routine: Routine, backward: Event) -> Iterator[Call]:
    """Yield the autocast contexts around what is differentiated and the forward passes before it."""
    places: list[Expr] = [backward.call]
    if backward.subject is not None:
        places += backward.subject.origins()
    for event in reversed(routine.events[: routine.position(backward)]):
        if event.kind in {LoopEvent.BACKWARD, LoopEvent.STEP}:
            break
        if event.kind in {LoopEvent.FORWARD, LoopEvent.LOSS} and event.loops == backward.loops:
            places.append(event.call)
    for place in places:
        if place.without_gradient:
            continue
        for context in place.contexts:
            if isinstance(context, Call) and context.callee in _AUTOCAST:
                yield context


def _is_float16(context: Call) -> bool:
    """Say whether an autocast is surely on and surely in float16."""
    old = context.callee == "torch.cuda.amp.autocast"
    enabled = context.argument(0 if old else 2, "enabled")
    if context.is_open or (enabled is not None and enabled.truth() is not True):
        return False
    dtype = context.argument(1, "dtype")
    if dtype is not None:
        kinds = {origin.qualified for origin in dtype.origins()}
        return kinds <= {"torch.float16", "torch.half"}
    device = None if old else context.argument(0, "device_type")
    return old or (device is not None and (device.string() or "").startswith("cuda"))


def _by_hand(backward: Event) -> bool:
    """Say whether the loss is multiplied by hand."""
    subject = backward.subject
    return subject is not None and any(one.operator == "Mult" for one in subject.origins())
