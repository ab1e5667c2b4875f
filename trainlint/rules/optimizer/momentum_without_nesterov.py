"""SGD uses plain momentum, where Nesterov's corrects itself earlier at no cost."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trainlint.core.diagnosis import Diagnosis, Severity
from trainlint.core.fix import Fix, Safety
from trainlint.core.rule import Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trainlint.static.model import FileModel
    from trainlint.static.model.training import Optimizer

rule = Rule(__name__, "TL411", Severity.ADVICE, fixable=Safety.UNSAFE)


@rule.check
def check(file: FileModel) -> Iterator[Diagnosis]:
    """Find SGD with a known momentum that surely is not Nesterov's."""
    for optimizer in file.optimizers():
        if optimizer.kind != "SGD" or not optimizer.is_torch or not _is_plain(optimizer):
            continue
        momentum = next((one for one in optimizer.given("momentum") if not one.in_group), None)
        if momentum is None or not 0 < momentum.value < 1:
            continue
        told = optimizer.argument("nesterov")
        if told is None:
            edit = optimizer.call.with_argument("nesterov", "True")
        else:
            edit = told.replaced_by("True")
        yield rule.at(
            momentum,
            f"The momentum {momentum.quoted} is plain, where Nesterov's measures the gradient a little"
            " ahead and corrects itself earlier at no cost.",
            remedy="Pass `nesterov=True`.",
            label="plain momentum",
            related=momentum.sources,
            fix=Fix("Use Nesterov's momentum", Safety.UNSAFE, (edit,)),
        )


def _is_plain(optimizer: Optimizer) -> bool:
    """Say whether Nesterov's momentum is off, no group turns it on, and dampening does not exclude it."""
    if optimizer.call.is_open or any("nesterov" in group for group in optimizer.groups):
        return False
    nesterov, dampening = optimizer.argument("nesterov"), optimizer.argument("dampening")
    if nesterov is not None and nesterov.truth() is not False:
        return False
    return dampening is None or dampening.number() == 0
