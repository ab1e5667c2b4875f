"""A layer is put into the model after the optimizer took its parameters, and is never trained."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trainlint.core.diagnosis import Diagnosis, Severity
from trainlint.core.rule import Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trainlint.static.model import FileModel

rule = Rule(__name__, "TL405", Severity.ERROR)


@rule.check
def check(file: FileModel) -> Iterator[Diagnosis]:
    """Find layers with weights that no optimizer knows of."""
    for replaced in file.replaced_layers():
        yield rule.at(
            replaced,
            f"{replaced.target.quoted} becomes a new layer after the optimizer took the parameters of"
            " the model, so it keeps its random weights.",
            remedy="Build the optimizer after the last change of the model.",
            label="never trained",
            related=[(replaced.optimizer, "keeps the parameters of before")],
        )
