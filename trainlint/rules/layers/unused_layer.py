"""A layer is built and no data ever goes through it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trainlint.core.diagnosis import Diagnosis, Severity
from trainlint.core.rule import Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trainlint.static.model import FileModel

rule = Rule(__name__, "TL620", Severity.WARNING)


@rule.check
def check(file: FileModel) -> Iterator[Diagnosis]:
    """Find layers with weights that a module keeps and no code reads."""
    for module in file.modules if file.has_layers and not file.is_test else ():
        for unused in file.unused_layers(module):
            yield rule.at(
                unused,
                f"`self.{unused.attribute}` is built as {unused.made.quoted} and never used: its"
                " weights are saved and get no gradient, which distributed training refuses.",
                remedy="Use it in `forward`, or delete it.",
                label="never used",
            )
