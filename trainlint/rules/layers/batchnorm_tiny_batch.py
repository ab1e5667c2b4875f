"""Batch normalisation over a handful of examples estimates its statistics too roughly."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from trainlint.core.diagnosis import Diagnosis, Severity
from trainlint.core.rule import Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trainlint.static.model import FileModel, Layer, Loader

rule = Rule(__name__, "TL604", Severity.WARNING, judges_configs=True)

_TRIAL = re.compile(r"(?i:smoke|debug|dry_?run|toy|quick)|\bCI\b")
_EXEMPT = r"sync_?(batch_?norm|bn)|^(dgl|torch_geometric)$"
"""The statistics are those of all processes; or of the nodes of a graph, of which one has many."""


@rule.check
def check(
    file: FileModel,
    *,
    warn_under: int = 8,  # Wu and He 2018, figure 1
    advise_under: int = 20,  # the texts on the craft
) -> Iterator[Diagnosis]:
    """Find loaders for training with few examples per batch beside a batch normalisation."""
    norm = None if file.is_test else _batch_norm(file)
    if norm is None or any(one.speaks_of(_EXEMPT) for one in (file, norm.call.model)):
        return
    for loader in file.loaders():
        size = loader.number("batch_size")
        if size is None or not 0 < size < max(warn_under, advise_under):
            continue
        if not loader.is_for_training or _is_for_a_trial(loader):
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


def _is_for_a_trial(loader: Loader) -> bool:
    """Say whether a test on the way asks whether the program only tries itself out."""
    return any(_TRIAL.search(test.text) for test, _ in loader.call.decided_by)


def _batch_norm(file: FileModel) -> Layer | None:
    """Return a batch normalisation of the file, or of a model that it trains."""
    layers = [*file.all_layers()]
    if not any(layer.is_batch_norm for layer in layers):
        layers = [layer for optimizer in file.optimizers() for layer in optimizer.sure_layers]
    return next((layer for layer in layers if layer.is_batch_norm), None)
