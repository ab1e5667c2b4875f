"""Gradients are clipped before the backward pass that computes them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from trainlint.core.diagnosis import Diagnosis, Severity
from trainlint.core.fix import Edit, Fix, Safety
from trainlint.core.loop import LoopEvent
from trainlint.core.rule import Rule
from trainlint.static.model import Driver, Event, FileModel, Routine

if TYPE_CHECKING:
    from collections.abc import Iterator

rule = Rule(__name__, "TL516", Severity.WARNING, fixable=Safety.UNSAFE)


@rule.check
def check(file: FileModel) -> Iterator[Diagnosis]:
    """Find clippings that only a later backward pass of the same iteration gives something to clip."""
    told = set()
    for routine in file.routines():
        if not routine.is_plain:
            continue
        for clip in routine.of(LoopEvent.CLIP):
            if clip.call in told or clip.only_measures or clip.call.expected_to_fail:
                continue
            pair = _backward_and_step(routine, clip)
            if pair is None or _has_gradients(routine, clip) or file.writes_gradients:
                continue
            backward, step = pair
            told.add(clip.call)
            edits = _edits(clip, backward, step)
            yield rule.at(
                clip,
                f"{clip.call.quoted} runs before {backward.call.quoted} has computed the gradients, so"
                f" {step.call.quoted} uses them unclipped.",
                remedy="Clip between `backward()` and `step()`.",
                label="clips too early",
                related=[(backward, "computes the gradients"), (step, "uses them unclipped")],
                fix=Fix("Clip the gradients after the backward pass", Safety.UNSAFE, edits)
                if edits
                else None,
            )


def _backward_and_step(routine: Routine, clip: Event) -> tuple[Event, Event] | None:
    """Return the backward pass and the step that surely follow a clipping, nothing clipped between."""
    backward = None
    for event in routine.events[routine.position(clip) + 1 :]:
        if event.loops != clip.loops or event.excludes(clip) or not event.always_before(clip):
            if event.kind in {LoopEvent.CLIP, LoopEvent.STEP, LoopEvent.BACKWARD}:
                return None
        elif event.kind is LoopEvent.BACKWARD:
            backward = backward or event
        elif event.kind is LoopEvent.CLIP:
            return None
        elif event.kind is LoopEvent.STEP:
            return (
                None if backward is None or event.driver is not Driver.PLAIN else (backward, event)
            )
    return None


def _has_gradients(routine: Routine, clip: Event) -> bool:
    """Say whether an earlier backward pass may have left gradients to clip that are still to be used."""
    loop = clip.loop
    for event in reversed(routine.events[: routine.position(clip)]):
        if loop is not None and not event.inside(loop):
            return False
        if event.kind in {LoopEvent.BACKWARD, LoopEvent.UNSCALE}:
            return True
        if event.kind is LoopEvent.STEP:
            # Then the step before it is what the clipping comes too late for: another rule.
            return True
    return False


def _edits(clip: Event, backward: Event, step: Event) -> tuple[Edit, ...]:
    """Return the edits that move the clipping after the backward pass; a scaled one is undone before."""
    if clip.call.blocks != backward.call.blocks or not clip.call.is_statement:
        return ()
    edits = clip.call.moved(after=backward.call)
    if not backward.scaled or not edits:
        return edits
    scaler, optimizer = backward.scaler, step.subject
    if scaler is None or optimizer is None or not step.scaled:
        return ()
    unscaled = backward.call.line_after(f"{scaler.text}.unscale_({optimizer.text})")
    if unscaled is None:
        return ()
    moved, *others = edits
    return (replace(moved, replacement=unscaled.replacement + moved.replacement), *others)
