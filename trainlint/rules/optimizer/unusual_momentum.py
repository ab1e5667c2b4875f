"""The momentum is far from 0.9, where it nearly always works."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trainlint.core.diagnosis import Diagnosis, Severity
from trainlint.core.rule import Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trainlint.static.model import FileModel
    from trainlint.static.model.training import Optimizer

rule = Rule(__name__, "TL412", Severity.ADVICE, judges_configs=True)

_CYCLES = {"OneCycleLR", "CyclicLR"}


@rule.check
def check(
    file: FileModel,
    *,
    lowest: float = 0.8,  # Smith 2018: 0.8 to 0.99
    highest: float = 0.99,
) -> Iterator[Diagnosis]:
    """Compare the momentum that optimizers are given with the bounds of what is usual."""
    for optimizer in file.optimizers():
        if not optimizer.is_torch or _is_idle(file, optimizer):
            continue
        for given in optimizer.given("momentum"):
            if not 0 < given.value < 1 or lowest <= given.value <= highest:
                continue
            count = 1 / (1 - given.value)
            bound = f"under {lowest:g}" if given.value < lowest else f"over {highest:g}"
            yield rule.at(
                given,
                f"The momentum {given.quoted} is {bound}: a step averages over about {count:.3g} gradients,"
                " where ten work nearly always.",
                remedy="Use 0.9 and tune the learning rate first.",
                label=f"averages {count:.3g} gradients",
                related=given.sources,
            )


def _is_idle(file: FileModel, optimizer: Optimizer) -> bool:
    """Say whether something else sets the momentum: a cyclic scheduler, a loop over the groups."""
    if "momentum" not in optimizer.parameters or optimizer.call.expected_to_fail:
        return True
    if any(one.kind in _CYCLES for one in optimizer.schedulers):
        return True
    return any(
        target.owner is not None and not target.is_attribute
        for target, _ in file.assignments("momentum")
    )
