"""A `view` changes the order of the sizes and leaves the numbers where they are."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trainlint.core.diagnosis import Diagnosis, Severity
from trainlint.core.fix import Fix, Safety
from trainlint.core.rule import Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trainlint.static.model import FileModel

rule = Rule(__name__, "TL614", Severity.WARNING, fixable=Safety.UNSAFE)


@rule.check
def check(file: FileModel) -> Iterator[Diagnosis]:
    """Find reshapes to the sizes of the very tensor in another order."""
    for reshape in file.reshapes():
        call = reshape.call
        order = ", ".join(map(str, reshape.order))
        yield rule.at(
            call,
            f"{call.quoted} names the sizes of the tensor in another order, but moves no number:"
            " examples and features are mixed up.",
            remedy=f"Move the dimensions with `permute({order})`, then reshape.",
            label="sizes change places, numbers do not",
            fix=Fix("Move the dimensions", Safety.UNSAFE, (reshape.permuted(),)),
        )
