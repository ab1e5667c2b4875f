"""A constant tensor is a plain attribute, which stays on the CPU when the module moves."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trainlint.core.diagnosis import Diagnosis, Severity
from trainlint.core.fix import Fix, Safety
from trainlint.core.rule import Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trainlint.static.model import FileModel

rule = Rule(__name__, "TL621", Severity.WARNING, fixable=Safety.UNSAFE)


@rule.check
def check(file: FileModel) -> Iterator[Diagnosis]:
    """Find constant tensors that a module keeps, never moves, and computes with in ``forward``."""
    if not file.has_layers or file.is_test or file.speaks_of("set_default_(device|tensor_type)"):
        return
    for module in file.modules:
        for stray in file.stray_tensors(module):
            edit = stray.as_buffer()
            yield rule.at(
                stray,
                f"`self.{stray.attribute}` is a plain tensor, which stays on the CPU when the module"
                " moves: `forward` then mixes devices and ends in an error.",
                remedy="Keep it with `self.register_buffer`, which moves it with the module.",
                label="moves nowhere",
                related=[(stray.use, "meets tensors on another device")],
                fix=Fix("Register it as a buffer", Safety.UNSAFE, (edit,)) if edit else None,
            )
