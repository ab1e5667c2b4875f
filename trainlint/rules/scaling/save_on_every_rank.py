"""Every process of a distributed training writes the same file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trainlint.core.diagnosis import Diagnosis, Severity
from trainlint.core.rule import Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trainlint.static.model import Call, Expr, FileModel

rule = Rule(__name__, "TL811", Severity.WARNING)

_SETS_UP = (
    "torch.distributed.init_process_group",
    "torch.nn.parallel.DistributedDataParallel",
)
_SHARDED = r"fsdp|fully_?shard|shard(ed)?_|deepspeed|xla|xm\b|rpc|accelerat|fabric|save_on_master"
"""In these each process saves a part of its own, or a wrapper lets one of them through."""


@rule.check
def check(file: FileModel) -> Iterator[Diagnosis]:
    """Find ``torch.save`` to a file that nothing on the way keeps to one process."""
    start = next(iter(file.calls_to(*_SETS_UP)), None)
    if start is None or file.is_test or file.speaks_of(_SHARDED):
        return
    for save in file.calls_to("torch.save"):
        target = save.argument(1, "f")
        if target is None or _is_own(file, target) or not file.runs_in_every_process(save):
            continue
        yield rule.at(
            save,
            f"{save.called.quoted} runs in every process, and all of them write {target.quoted} at the same"
            " time: the file may be torn.",
            remedy="Save in one process only: `if dist.get_rank() == 0:`.",
            label="written by every process",
            related=[(start, "several processes")],
        )


def _is_own(file: FileModel, target: Expr) -> bool:
    """Say whether each process may write to a place of its own: by its rank, or in memory."""
    if any("BytesIO" in (part.method or "") for part in _calls(target)):
        return True
    return any(file.speaks_of_rank(part) for part in (target, *target.parts()))


def _calls(target: Expr) -> Iterator[Call]:
    """Yield the calls that make the place to which is saved."""
    for origin in target.origins():
        yield from origin.calls()
