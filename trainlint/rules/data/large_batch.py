"""A training batch of more than 32 examples is seldom better than a small one."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from trainlint.core.diagnosis import Diagnosis, Severity
from trainlint.core.rule import Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trainlint.static.model import Expr, FileModel

rule = Rule(__name__, "TL702", Severity.ADVICE, judges_configs=True)

_BATCH = re.compile(r"batch|\bbsz?\b", re.IGNORECASE)


@rule.check
def check(
    file: FileModel,
    *,
    limit: int = 32,  # Masters and Luschi 2018
) -> Iterator[Diagnosis]:
    """Find loaders for training with a larger batch, where the rate is not scaled with it."""
    large = [
        (loader, size)
        for loader in file.loaders()
        if (size := loader.number("batch_size")) is not None and size > limit
    ]
    if not large or any(_is_scaled(rate) for rate in _rates(file)):
        return
    for loader, size in large:
        if loader.is_for_training:
            yield rule.at(
                loader,
                f"{loader.call.called.quoted} gives the training batches of {size} examples, over"
                f" {limit}: fewer updates per epoch, less noise to leave sharp minima behind.",
                remedy=f"Try a batch of {limit} or less, or raise the learning rate with the batch"
                " and warm it up.",
                label=f"{size} examples",
            )


def _rates(file: FileModel) -> Iterator[Expr]:
    """Yield the learning rates that the file gives to optimizers, or sets later."""
    for optimizer in file.optimizers():
        groups = (group.get("lr") for group in optimizer.groups)
        yield from (rate for rate in (optimizer.argument("lr"), *groups) if rate is not None)
    yield from (rate for _, rate in file.assignments("lr") if rate is not None)


def _is_scaled(rate: Expr) -> bool:
    """Say whether a learning rate is computed from the size of the batch."""
    return any(_BATCH.search(one.text) for one in (rate, *rate.origins()))
