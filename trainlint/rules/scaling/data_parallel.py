"""One process drives several GPUs, where one process for each is faster."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trainlint.core.diagnosis import Diagnosis, Severity
from trainlint.core.loop import LoopEvent
from trainlint.core.rule import Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trainlint.static.model import FileModel

rule = Rule(__name__, "TL812", Severity.ADVICE)


@rule.check
def check(file: FileModel) -> Iterator[Diagnosis]:
    """Find ``nn.DataParallel`` in files that train."""
    if file.is_test or not _trains(file):
        return
    for call in file.calls_to("torch.nn.DataParallel"):
        yield rule.at(
            call,
            f"{call.called.quoted} copies the model to every GPU in each step and runs them by threads of"
            " one process, which is slower than a process for each, even on one machine.",
            remedy="Wrap the model in `torch.nn.parallel.DistributedDataParallel` and start the script with"
            " `torchrun`.",
            label="one process for all GPUs",
        )


def _trains(file: FileModel) -> bool:
    """Say whether anything in the file trains."""
    return bool(file.optimizers()) or any(
        True for routine in file.routines() for _ in routine.of(LoopEvent.BACKWARD)
    )
