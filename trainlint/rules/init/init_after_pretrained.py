"""Weights are initialised after they were loaded, which throws the loaded ones away."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trainlint.core.diagnosis import Diagnosis, Severity
from trainlint.core.rule import Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trainlint.static.model import FileModel

rule = Rule(__name__, "TL108", Severity.WARNING)


@rule.check
def check(file: FileModel) -> Iterator[Diagnosis]:
    """Find initialisations of a whole module that always run after its weights are loaded."""
    for restart in () if file.serves_tests else file.restarts():
        yield rule.at(
            restart,
            f"{restart.reset.quoted} draws the weights of {restart.module.quoted} anew, so those that"
            f" {restart.loaded.called.quoted} has loaded are gone.",
            remedy="Initialise first and load then, or initialise the new layers only.",
            label="throws the loaded weights away",
            related=[(restart.loaded, "loads them")],
        )
