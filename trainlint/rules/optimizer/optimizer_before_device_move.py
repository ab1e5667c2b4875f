"""The model moves to another device after the optimizer was built on its parameters."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trainlint.core.diagnosis import Diagnosis, Severity
from trainlint.core.rule import Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trainlint.static.model import FileModel

rule = Rule(__name__, "TL419", Severity.WARNING)


@rule.check
def check(file: FileModel) -> Iterator[Diagnosis]:
    """Find moves of a model between the building of its optimizer and the training."""
    for moved in () if file.is_test else file.late_moves():
        optimizer, loaded = moved.optimizer, moved.loaded
        breaks = optimizer.kind == "Adagrad" or loaded is not None
        said = (
            "the state that the optimizer already keeps stays behind and its next step fails"
            if breaks
            else "an optimizer is to be built on the parameters that it will train"
        )
        related = [(optimizer, "is built on the parameters before the move")]
        yield rule.at(
            moved.call,
            f"{moved.call.quoted} moves the model after {optimizer.call.called.quoted} took its"
            f" parameters: {said}.",
            remedy="Move the model first, then build the optimizer.",
            label="too late",
            related=[
                *related,
                *([] if loaded is None else [(loaded, "puts state on the old device")]),
            ],
            severity=rule.severity if breaks and moved.is_sure else Severity.ADVICE,
        )
