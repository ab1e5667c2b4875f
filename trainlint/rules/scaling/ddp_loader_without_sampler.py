"""A training with several processes gives each of them all of the data."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from trainlint.core.diagnosis import Diagnosis, Severity
from trainlint.core.rule import Rule
from trainlint.static.model import Call, Expr, FileModel, Loader

if TYPE_CHECKING:
    from collections.abc import Iterator

rule = Rule(__name__, "TL808", Severity.WARNING)

_WRAPPER = "torch.nn.parallel.DistributedDataParallel"
_PREPARES = re.compile(r"prepare|setup|shard|distribut|wrap|replace", re.IGNORECASE)
_MADE_UP = re.compile(r"random|dummy|fake|synthetic|toy|mock", re.IGNORECASE)
_DRAWS = re.compile(r"rand(n|int|_like|n_like)?$|normal|uniform")


@rule.check
def check(file: FileModel) -> Iterator[Diagnosis]:
    """Find loaders for training that every process builds, over data that none of them divides."""
    wrapped = next(iter(file.calls_to(_WRAPPER)), None)
    if wrapped is None or file.is_test:
        return
    for loader in file.loaders():
        data = loader.argument("dataset")
        if data is None or not loader.is_for_training or not _is_plain(loader):
            continue
        if not file.is_indexed(data) or _is_own(file, data) or _is_prepared(file, loader.call):
            continue
        if not file.runs_in_every_process(loader.call):
            continue
        yield rule.at(
            loader,
            f"{loader.call.called.quoted} gives every process all of {data.quoted}, so an epoch goes"
            " through the data once per process and more of them save no time.",
            remedy="Pass `sampler=DistributedSampler(...)`, which gives each process its share, and call"
            " its `set_epoch` in each epoch.",
            label="the same data in each process",
            related=[(wrapped, "trains in several processes")],
        )


def _is_plain(loader: Loader) -> bool:
    """Say whether no sampler chooses the examples."""
    return not loader.is_open and all(
        loader.is_given(name) is False for name in ("sampler", "batch_sampler")
    )


def _is_own(file: FileModel, data: Expr) -> bool:
    """Say whether each process may have data of its own: a share by its rank, or made up."""
    made = file.data_set_class(data)
    if made is not None and (made.draws_examples or _MADE_UP.search(made.name)):
        return True
    return any(file.speaks_of_rank(part) or _draws(part) for part in data.ingredients())


def _draws(part: Expr) -> bool:
    """Say whether an expression draws numbers at random."""
    package, _, last = ((part.callee if isinstance(part, Call) else None) or "").rpartition(".")
    return package.startswith(("torch", "numpy")) and bool(_DRAWS.match(last))


def _is_prepared(file: FileModel, made: Call) -> bool:
    """Say whether a function gets the loader that may divide it among the processes."""
    return any(
        _PREPARES.search(call.method or "")
        for call in (*file.handed_on(made), *file.calls_taking(made))
    )
