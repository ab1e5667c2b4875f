"""Gradients are clipped after the step that used them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trainlint.core.diagnosis import Diagnosis, Severity
from trainlint.core.fix import Edit, Fix, Safety
from trainlint.core.loop import LoopEvent
from trainlint.core.rule import Rule
from trainlint.static.model import Driver, Event, FileModel, Routine

if TYPE_CHECKING:
    from collections.abc import Iterator

rule = Rule(__name__, "TL506", Severity.WARNING, fixable=Safety.UNSAFE)


@rule.check
def check(file: FileModel) -> Iterator[Diagnosis]:
    """Find clippings between a step and the next backward pass."""
    told = set()
    for routine in file.routines():
        for clip in routine.of(LoopEvent.CLIP):
            if clip.driver is not Driver.PLAIN or clip.call in told or clip.only_measures:
                continue
            step = _used_by(routine, clip)
            if step is None or _has_later_step(routine, clip):
                continue
            told.add(clip.call)
            edits = _edits(clip, step)
            yield rule.at(
                clip,
                f"{clip.call.quoted} runs after {step.call.quoted} has used the gradients, so it"
                " bounds nothing.",
                remedy="Clip between `backward()` and `step()`.",
                label="clips too late",
                related=[(step, "uses the unclipped gradients")],
                fix=Fix("Clip the gradients before the step", Safety.UNSAFE, edits)
                if edits
                else None,
            )


def _used_by(routine: Routine, clip: Event) -> Event | None:
    """Return the step that surely ran since the last backward pass, in the same iteration."""
    before = routine.events[: routine.position(clip)]
    step = None
    for event in reversed(before):
        if event.kind is LoopEvent.STEP and step is None:
            if event.excludes(clip) or event.loops != clip.loops or not event.always_before(clip):
                continue
            step = event
        elif event.kind is LoopEvent.BACKWARD and not event.excludes(clip):
            return step if event.driver is Driver.PLAIN else None
    return None


def _has_later_step(routine: Routine, clip: Event) -> bool:
    """Say whether another step uses the clipped gradients before the next backward pass."""
    for event in routine.events[routine.position(clip) + 1 :]:
        if event.kind is LoopEvent.BACKWARD:
            return False
        if event.kind is LoopEvent.STEP:
            return True
    return False


def _edits(clip: Event, step: Event) -> tuple[Edit, ...]:
    """Return the edits that move the clipping before the step, where both stand in one block."""
    if clip.call.blocks != step.call.blocks:
        return ()
    return clip.call.moved(before=step.call)
