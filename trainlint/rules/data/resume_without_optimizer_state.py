"""A run resumes from a checkpoint that holds the epoch and the model, and not the optimizer."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from trainlint.core.diagnosis import Diagnosis, Severity
from trainlint.core.rule import Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trainlint.static.model import Expr, FileModel
    from trainlint.static.model.checkpoints import Checkpoint

rule = Rule(__name__, "TL713", Severity.WARNING)

_PROGRESS = re.compile(r"(^|_)(epochs?|iter(ation)?s?|steps?)(_|$)", re.IGNORECASE)
_STARTS = re.compile(r"^[\w.]*(start|begin|resume|first|init|last|cur|epoch|iter|step)\w* *=")
_OTHERS = re.compile(r"opt|trainer|engine|solver|adam|sgd|accelerator|fabric|strategy|agent|sched")


@rule.check
def check(file: FileModel) -> Iterator[Diagnosis]:
    """Find saved dicts with progress and a model and nothing else with a state, that runs resume from."""
    if file.is_test or _is_stateless(file):
        return
    found = list(file.checkpoints())
    if any(_has_others(one) for one in found):
        return
    for checkpoint in found:
        if not checkpoint.states("model"):
            continue
        resumed = _resumed(file, checkpoint)
        if resumed is not None:
            yield rule.at(
                checkpoint.save,
                f"{checkpoint.save.quoted} writes the model and how far it is trained, and not the"
                " optimizer, whose momentum and moments start from nothing when the run resumes.",
                remedy="Save `optimizer.state_dict()` with it, and the states of the scheduler and the"
                " scaler; load them when the run resumes.",
                label="no state of the optimizer",
                related=[(resumed, "the run resumes here")],
            )


def _resumed(file: FileModel, checkpoint: Checkpoint) -> Expr | None:
    """Return where the file goes on from the progress that a checkpoint holds."""
    for key in checkpoint.entries:
        if _PROGRESS.search(key):
            for read in file.resumed(key):
                if _STARTS.match(read.statement.text):
                    return read
    return None


def _has_others(checkpoint: Checkpoint) -> bool:
    """Say whether a checkpoint has, or may have, the state of something other than a model."""
    if checkpoint.states("optimizer", "scheduler", "scaler"):
        return True
    return any(
        _OTHERS.search(text.lower())
        for key, value in checkpoint.entries.items()
        for text in (key, value.text)
    )


def _is_stateless(file: FileModel) -> bool:
    """Say whether the optimizers of the file, if there are any, have no state worth keeping."""
    made = file.optimizers()
    return not made or all(
        one.kind == "SGD" and (one.argument("momentum") is None or one.number("momentum") == 0)
        for one in made
    )
