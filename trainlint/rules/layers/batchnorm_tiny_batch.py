"""Batch normalisation over a handful of examples estimates its statistics too roughly."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trainlint.core.diagnosis import Diagnosis, Severity
from trainlint.core.rule import Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trainlint.static.model import FileModel

rule = Rule(__name__, "TL604", Severity.WARNING)


@rule.check
def check(
    file: FileModel,
    *,
    warn_under: int = 8,  # Wu and He 2018, figure 1
    advise_under: int = 20,  # the texts on the craft
) -> Iterator[Diagnosis]:
    """Find loaders for training with few examples per batch beside a batch normalisation."""
    norm = next((layer for layer in file.all_layers() if layer.is_batch_norm), None)
    if norm is None or file.is_test or file.speaks_of(r"sync_?(batch_?norm|bn)"):
        return
    for loader in file.loaders():
        size = loader.number("batch_size")
        if size is None or not 0 < size < max(warn_under, advise_under):
            continue
        if not loader.is_for_training:
            continue
        few = size < warn_under
        examples = "1 example" if size == 1 else f"{size} examples"
        yield rule.at(
            loader,
            f"{norm.call.quoted} estimates mean and variance from batches of {examples},"
            f" under {warn_under if few else advise_under}: they jump from batch to batch and fit"
            " no batch at test time.",
            remedy="Take a larger batch, or use `nn.GroupNorm` or `nn.LayerNorm`, which do not look"
            " at the batch.",
            label=f"{examples} per batch",
            related=[(norm, "normalises over them")],
            severity=rule.severity if few else Severity.ADVICE,
        )
