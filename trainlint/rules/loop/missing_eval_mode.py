"""A model with dropout or batch normalisation is evaluated without evaluation mode."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from trainlint.core.diagnosis import Diagnosis, Severity
from trainlint.core.loop import LoopEvent
from trainlint.core.rule import Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trainlint.static.model import Event, FileModel, Routine

rule = Rule(__name__, "TL510", Severity.WARNING)

_WANTS_TRAINING = re.compile(
    r"(^|_)mc(_|$)|monte|dropout|stochastic|bayes|uncertain|_bn|bn_|recalib|calibrat|swa",
    re.IGNORECASE,
)
"""Functions that evaluate in training mode on purpose, by their names."""

_TRAINS = re.compile(r"(fit|train)(_|$)", re.IGNORECASE)
"""Functions of other files that get the model to train it: evaluation is no matter of theirs."""


@rule.check
def check(file: FileModel) -> Iterator[Diagnosis]:
    """Find evaluation loops over models that nothing in the file puts into evaluation mode."""
    told = set()
    for routine in file.routines():
        for forward in routine.of(LoopEvent.FORWARD):
            model = forward.subject
            if model is None or forward.call.function in told or not _evaluates(routine, forward):
                continue
            known = file.mode_dependence(model).sure
            if not known or _may_be_set(file, forward) or _in_lightning(file, forward):
                continue
            told.add(forward.call.function)
            yield rule.at(
                forward,
                f"{model.quoted} is evaluated without `eval()`, so {known[0].quoted} behaves as in"
                " training.",
                remedy=f"Call `{model.text}.eval()` before the evaluation and `train()` after it.",
                label="evaluates in training mode",
                related=[(known[0], "behaves differently in training")],
            )


def _evaluates(routine: Routine, forward: Event) -> bool:
    """Say whether a forward pass is part of an evaluation: over batches, without gradients."""
    if not forward.without_gradient:
        return False
    functions = [call.function for call in (forward.call, *forward.via)]
    if any(_WANTS_TRAINING.search(one.name) for one in (*functions, routine.function) if one):
        return False
    backwards = routine.of(LoopEvent.BACKWARD)
    return any(
        loop.over_batches and not any(one.inside(loop) for one in backwards)
        for loop in forward.loops
    )


def _may_be_set(file: FileModel, forward: Event) -> bool:
    """Say whether anything in the file may put the model into evaluation mode."""
    model = forward.subject
    if model is None or any(not _TRAINS.match(call.method or "") for call in file.handed_on(model)):
        return True
    for call in file.method_calls("eval", "train"):
        if call.callee is not None or (call.method == "train" and not (call.args or call.keywords)):
            continue
        if call.receiver is None or file.identities.may_be_same(call.receiver, model):
            return True
    return any(True for _ in file.calls_to("torch.nn.Module.eval", "torch.nn.Module.train"))


def _in_lightning(file: FileModel, forward: Event) -> bool:
    """Say whether Lightning sets the mode."""
    around = file.module_around(forward.call)
    return around is not None and around.is_lightning
