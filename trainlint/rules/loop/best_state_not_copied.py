"""The best weights are kept as references to the live ones."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trainlint.core.diagnosis import Diagnosis, Severity
from trainlint.core.fix import Fix, Safety
from trainlint.core.rule import Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trainlint.static.model import Call, Expr, FileModel, Kept

rule = Rule(__name__, "TL511", Severity.ERROR, fixable=Safety.UNSAFE)

_SHALLOW = {"copy.copy", "builtins.dict", "collections.OrderedDict"}


@rule.check
def check(file: FileModel) -> Iterator[Diagnosis]:
    """Find states that are kept under a condition while the training goes on."""
    for state in file.method_calls("state_dict"):
        model = state.receiver
        if model is None or file.role_of(model) in {"optimizer", "scheduler", "scaler"}:
            continue
        kept = file.kept(_with_shallow_copy(file, state))
        if kept is None or not _outlives(kept):
            continue
        yield rule.at(
            state,
            f"{state.quoted} refers to the live weights, so {kept.quoted} changes with every further"
            " step.",
            remedy=f"Copy the tensors: `copy.deepcopy({state.text})`.",
            label="a reference, not a copy",
            related=[(use, "gets the last weights, not the best") for use in _restored(kept)[:1]],
            fix=_fix(file, state),
        )


def _with_shallow_copy(file: FileModel, state: Call) -> Call:
    """Return the call around a state that copies the dict and not the tensors, else the state."""
    for call in file.calls_taking(state):
        if call.callee in _SHALLOW:
            return call
    for call in file.method_calls("copy"):
        if call.receiver == state:
            return call
    return state


def _outlives(kept: Kept) -> bool:
    """Say whether a state is kept as the best of a training that goes on."""
    if kept.leaves or kept.in_constructor:
        return False
    is_best = "best" in kept.name.lower()
    if kept.is_attribute:
        return is_best and (bool(kept.later) or not kept.here)
    if not kept.in_loop or not kept.later:
        return False
    return kept.conditional and (is_best or (kept.as_better and bool(_restored(kept))))


def _restored(kept: Kept) -> list[Expr]:
    """Return the places where a kept state is loaded."""
    return [use for use in kept.later if use.is_argument_of("load_state_dict")]


def _fix(file: FileModel, state: Call) -> Fix:
    """Return the fix that copies the tensors."""
    deepcopy = file.spelling("copy.deepcopy")
    text = state.source_text
    if deepcopy is not None:
        copied = f"{deepcopy}({text})"
    else:
        copied = f"{{name: value.clone() for name, value in {text}.items()}}"
    return Fix("Copy the tensors", Safety.UNSAFE, (state.replaced_by(copied),))
