"""An exponential decay that is made for epochs runs for each batch, and the rate vanishes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trainlint.core.diagnosis import Diagnosis, Severity
from trainlint.core.loop import LoopEvent
from trainlint.core.rule import Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trainlint.static.model import FileModel

rule = Rule(__name__, "TL425", Severity.WARNING)


@rule.check
def check(
    file: FileModel,
    *,
    gamma: float = 0.99,  # 0.99 ** 1000 is 4e-5
) -> Iterator[Diagnosis]:
    """Find ``ExponentialLR`` with such a factor that a loop over batches steps."""
    told = set()
    for routine in () if file.is_test else file.routines():
        for event in routine.of(LoopEvent.SCHEDULER_STEP):
            loop, schedulers = event.loop, event.schedulers
            if loop is None or len(schedulers) != 1 or event.call in told:
                continue
            scheduler = schedulers[0]
            factor = scheduler.number("gamma") if scheduler.kind == "ExponentialLR" else None
            if factor is None or not 0 < factor <= gamma or event.call.args:
                continue
            if not loop.over_batches or event.conditional_in(loop) or event.ends(loop):
                continue
            if event.call.expected_to_fail or loop.runs(scheduler.call) or loop.can_end_early:
                continue
            told.add(event.call)
            yield rule.at(
                event,
                f"{event.call.quoted} multiplies the learning rate by {factor:g} for each batch: after a"
                f" thousand batches {factor**1000:.1g} of it is left.",
                remedy="Step the scheduler once per epoch, or take a factor such as 0.9999.",
                label="for each batch",
                related=[(scheduler, f"multiplies by {factor:g}")],
            )
