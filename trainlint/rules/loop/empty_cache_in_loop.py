"""The cache of the GPU's memory is emptied for every batch."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trainlint.core.diagnosis import Diagnosis, Severity
from trainlint.core.fix import Fix, Safety
from trainlint.core.loop import LoopEvent
from trainlint.core.rule import Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trainlint.static.model import FileModel, Loop

rule = Rule(__name__, "TL526", Severity.WARNING, fixable=Safety.UNSAFE)


@rule.check
def check(file: FileModel) -> Iterator[Diagnosis]:
    """Find ``torch.cuda.empty_cache()`` that nothing but the loop over the batches decides about."""
    for call in file.calls_to("torch.cuda.empty_cache"):
        loop = call.loops[-1] if call.loops else None
        if loop is None or not call.is_statement or not _trains(file, loop):
            continue
        if call.is_conditional_in(loop):
            continue
        edit = call.line_removed()
        yield rule.at(
            call,
            f"{call.quoted} runs for every batch, so each one waits for the GPU and asks the driver for"
            " its memory anew.",
            remedy="Leave it out: torch reuses the memory that is cached, and emptying the cache gives"
            " the training no more of it.",
            label="slows every batch down",
            related=[(loop, "the loop over the batches")],
            fix=None if edit is None else Fix("Leave the cache alone", Safety.UNSAFE, (edit,)),
        )


def _trains(file: FileModel, loop: Loop) -> bool:
    """Say whether each round of a loop is one batch: it differentiates, or takes from a loader."""
    return loop.over_batches or any(
        event.loop == loop
        for routine in file.routines()
        for event in routine.of(LoopEvent.BACKWARD)
    )
