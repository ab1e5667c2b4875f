"""Gradients are clipped while they still carry the loss scale of mixed precision."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trainlint.core.diagnosis import Diagnosis, Severity
from trainlint.core.fix import Fix, Safety
from trainlint.core.loop import LoopEvent
from trainlint.core.rule import Rule
from trainlint.static.model import Driver, Event, FileModel, Routine

if TYPE_CHECKING:
    from collections.abc import Iterator

rule = Rule(__name__, "TL505", Severity.ERROR, fixable=Safety.UNSAFE)


@rule.check
def check(file: FileModel) -> Iterator[Diagnosis]:
    """Find clippings that a scaled backward pass reaches without an ``unscale_``."""
    told = set()
    for routine in file.routines():
        for clip in routine.of(LoopEvent.CLIP):
            backward = _scaled_backward(routine, clip)
            step = _scaled_step(routine, clip)
            if clip.call in told or backward is None or step is None or _is_scaled_too(clip):
                continue
            told.add(clip.call)
            yield rule.at(
                clip,
                f"{clip.call.quoted} clips gradients that still carry the loss scale, 65536 at the"
                " start, so its threshold is that much too low.",
                remedy=f"Call {_unscaling(backward, step)} between `backward()` and the clipping.",
                label="clips scaled gradients",
                related=[(backward, "scaled here")],
                fix=_fix(clip, backward, step),
            )


def _scaled_backward(routine: Routine, clip: Event) -> Event | None:
    """Return the scaled backward pass whose gradients are clipped as they are."""
    if clip.driver is not Driver.PLAIN:
        return None
    for event in reversed(routine.events[: routine.position(clip)]):
        if event.excludes(clip):
            continue
        if event.kind in {LoopEvent.UNSCALE, LoopEvent.STEP}:
            return None
        if event.kind is LoopEvent.BACKWARD and event.driver is Driver.PLAIN:
            return event if event.scaled and not event.scaler_is_off else None
    return None


def _scaled_step(routine: Routine, clip: Event) -> Event | None:
    """Return the step through the scaler that follows."""
    for event in routine.events[routine.position(clip) :]:
        if event.kind is LoopEvent.STEP and event.scaled and not event.excludes(clip):
            return event
    return None


def _is_scaled_too(clip: Event) -> bool:
    """Say whether the threshold is multiplied by the scale."""
    return any(
        origin.mentions("get_scale")
        for argument in (*clip.call.args, *clip.call.keywords.values())
        for origin in (argument, *argument.origins())
    )


def _unscaling(backward: Event, step: Event) -> str:
    """Return the call that is missing, in backticks."""
    scaler = "scaler" if backward.scaler is None else backward.scaler.text
    optimizer = "optimizer" if step.subject is None else step.subject.text
    return f"`{scaler}.unscale_({optimizer})`"


def _fix(clip: Event, backward: Event, step: Event) -> Fix | None:
    """Return the fix that unscales before the clipping, where all stand in one function."""
    if not clip.call.function == backward.call.function == step.call.function:
        return None
    edit = clip.call.line_before(_unscaling(backward, step).strip("`"))
    if edit is None:
        return None
    return Fix("Unscale the gradients before clipping them", Safety.UNSAFE, (edit,))
