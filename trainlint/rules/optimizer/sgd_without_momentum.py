"""SGD runs without momentum, and crawls along narrow valleys of the loss."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trainlint.core.diagnosis import Diagnosis, Severity
from trainlint.core.rule import Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trainlint.static.model import FileModel
    from trainlint.static.model.training import Optimizer

rule = Rule(__name__, "TL410", Severity.ADVICE)


@rule.check
def check(file: FileModel) -> Iterator[Diagnosis]:
    """Find SGD for modules that surely has no momentum."""
    for optimizer in file.optimizers():
        if optimizer.kind != "SGD" or not optimizer.is_torch or not _has_no_momentum(optimizer):
            continue
        yield rule.at(
            optimizer,
            f"{optimizer.call.called.quoted} has no momentum, with which it gets through narrow valleys"
            " of the loss several times faster.",
            remedy="Pass `momentum=0.9, nesterov=True`.",
            label="no momentum",
            related=[one for given in optimizer.given("momentum") for one in given.sources],
        )


def _has_no_momentum(optimizer: Optimizer) -> bool:
    """Say whether the momentum is 0, given or by default, and no group brings its own."""
    if not optimizer.models or optimizer.call.is_open or optimizer.call.expected_to_fail:
        return False
    if any("momentum" in group for group in optimizer.groups):
        return False
    if any(True for _ in optimizer.call.model.assignments("momentum")):
        return False
    momentum = optimizer.argument("momentum")
    return momentum is None or momentum.number() == 0
