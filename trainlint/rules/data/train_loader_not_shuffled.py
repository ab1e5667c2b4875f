"""The loader of a training gives the examples in the same order in every epoch."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from trainlint.core.diagnosis import Diagnosis, Severity
from trainlint.core.fix import Fix, Safety
from trainlint.core.rule import Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trainlint.static.model import Expr, FileModel, Loader

rule = Rule(__name__, "TL705", Severity.WARNING, fixable=Safety.UNSAFE)

_ORDER_MATTERS = r"repackage|init_hidden|stateful|detach_hidden|bptt"
_SHUFFLES = ("shuffle", "permutation", "randperm")
_MADE_UP = re.compile(r"random|dummy|fake|synthetic|toy|mock", re.IGNORECASE)


@rule.check
def check(file: FileModel) -> Iterator[Diagnosis]:
    """Find loaders for training over an indexed data set that nobody tells to shuffle."""
    for loader in () if file.is_test else file.loaders():
        data = loader.argument("dataset")
        if data is None or not loader.is_for_training or not _in_order(loader):
            continue
        if not file.is_indexed(data) or _is_meant(file, loader, data):
            continue
        if not loader.feeds_training:
            continue
        edit = loader.call.with_argument("shuffle", "True")
        yield rule.at(
            loader,
            f"{loader.call.called.quoted} gives the training its examples in the same order in every"
            " epoch, so each batch holds neighbours of the data set.",
            remedy="Pass `shuffle=True`, or a sampler that draws at random.",
            label="never shuffled",
            fix=Fix("Shuffle in each epoch", Safety.UNSAFE, (edit,)),
        )


def _in_order(loader: Loader) -> bool:
    """Say whether nothing decides about the order of a loader."""
    names = ("shuffle", "sampler", "batch_sampler")
    return not loader.is_open and all(loader.argument(name) is None for name in names)


def _is_meant(file: FileModel, loader: Loader, data: Expr) -> bool:
    """Say whether the order matters, plays no part, or is shuffled elsewhere."""
    size = loader.argument("batch_size")
    if size is not None and (size.measures_length or size.literal() is None):
        return True
    made = file.data_set_class(data)
    if made is not None and (made.draws_examples or _MADE_UP.search(made.name)):
        return True
    return file.speaks_of(_ORDER_MATTERS) or any(file.method_calls(*_SHUFFLES))
