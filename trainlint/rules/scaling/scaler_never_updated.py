"""The optimizer steps through a gradient scaler that nothing ever updates."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from trainlint.core.diagnosis import Diagnosis, Severity
from trainlint.core.fix import Fix, Safety
from trainlint.core.loop import LoopEvent
from trainlint.core.rule import Rule
from trainlint.static.model import Call, Driver, Event, Expr, FileModel, Loop, Routine

if TYPE_CHECKING:
    from collections.abc import Iterator

rule = Rule(__name__, "TL804", Severity.ERROR, fixable=Safety.UNSAFE)

_HOLDS = re.compile(r"scal|amp|grad|precision|fp16|half|optim", re.IGNORECASE)


@rule.check
def check(file: FileModel) -> Iterator[Diagnosis]:
    """Find loops that step through a scaler without any update of it in the file."""
    told = set()
    for routine in file.routines():
        last: dict[Loop, Event] = {}
        for step in routine.of(LoopEvent.STEP):
            loop = _loop(routine, step)
            if loop is not None and not _may_be_updated(file, step, loop):
                last[loop] = step
        for loop, step in last.items():
            scaler = step.scaler
            if scaler is None or step.call in told:
                continue
            told.add(step.call)
            yield rule.at(
                step,
                f"{scaler.quoted} is never updated, so the second {step.call.quoted} raises an error:"
                " a scaler steps once per update.",
                remedy=f"Call `{scaler.text}.update()` once per step, after all `step` calls.",
                label="steps, and nothing updates",
                related=[(loop, "in each round")],
                fix=_fix(step, scaler),
            )


def _loop(routine: Routine, step: Event) -> Loop | None:
    """Return the innermost loop that repeats a scaled backward and a step through its scaler."""
    if not step.scaled or step.driver is not Driver.PLAIN or step.scaler is None:
        return None
    identities = step.call.model.identities
    for loop in reversed(step.loops):
        for backward in routine.of(LoopEvent.BACKWARD):
            if backward.scaler is None or not backward.inside(loop):
                continue
            if identities.same(backward.scaler, step.scaler) and not step.ends(loop):
                return loop
    return None


def _may_be_updated(file: FileModel, step: Event, loop: Loop) -> bool:
    """Say whether anything may update the scaler, or make it anew in each round of the loop."""
    scaler = step.scaler
    if scaler is None or any(
        loop.runs(one) or _is_off(one) for one in scaler.objects() if one != scaler
    ):
        return True
    models = step.models
    if any(_may_hold(file, one, scaler) for one in _updated(models)):
        return True
    handed = (call for model in models for call in model.handed_on(scaler))
    return any(call not in step.via for call in handed) or _is_held_by_unknown(scaler, loop)


def _is_off(made: Expr) -> bool:
    """Say whether a scaler is made with ``enabled=False``: then it steps and counts nothing."""
    enabled = made.keywords.get("enabled") if isinstance(made, Call) else None
    return enabled is not None and enabled.truth() is False


def _may_hold(file: FileModel, updated: Expr, scaler: Expr) -> bool:
    """Say whether what is updated is the scaler, or may be it, or have it inside, by its name."""
    if file.identities.of(updated) & file.identities.of(scaler):
        return True
    return bool(_HOLDS.search(updated.text)) and file.identities.may_be_same(updated, scaler)


def _updated(models: tuple[FileModel, ...]) -> Iterator[Expr]:
    """Yield everything on which ``update`` is called, or from which it is taken."""
    for model in models:
        for read in model.attributes_read("update"):
            if read.owner is not None:
                yield read.owner


def _is_held_by_unknown(scaler: Expr, loop: Loop) -> bool:
    """Say whether the scaler is an attribute of something that a method of another file may update."""
    if not scaler.is_attribute:
        return False
    around = scaler.model.class_around(scaler)
    if around is None or scaler.owner is None or scaler.owner.name != "self":
        return True
    if any(not base.startswith(("torch.", "builtins.", "abc.")) for base in around.bases):
        return True
    return any(
        argument.text == "self"
        for call in loop.calls
        for argument in (*call.args, *call.keywords.values())
    )


def _fix(step: Event, scaler: Expr) -> Fix | None:
    """Return the fix that updates the scaler after the step."""
    if not step.call.is_statement:
        return None
    edit = step.call.line_after(f"{scaler.source_text}.update()")
    return None if edit is None else Fix("Update the scaler after the step", Safety.UNSAFE, (edit,))
