"""A data set keeps a generator of random numbers, and every worker gets a copy of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trainlint.core.diagnosis import Diagnosis, Severity
from trainlint.core.rule import Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trainlint.static.model import FileModel, Loader
    from trainlint.static.model.data_sets import DataSetClass

rule = Rule(__name__, "TL704", Severity.WARNING)

_KNOWS_WORKERS = r"worker_init|get_worker_info|worker_info|worker_id|worker_seed|init_worker"


@rule.check
def check(file: FileModel) -> Iterator[Diagnosis]:
    """Find data sets that draw from a generator of `__init__`, where a loader reads them with workers."""
    told: set[tuple[DataSetClass, str]] = set()
    for loader in () if file.is_test else file.loaders():
        data = loader.argument("dataset")
        made = None if data is None else file.data_set_class(data)
        if made is None or not _has_workers(loader) or _knows_workers(file, made):
            continue
        for generator in made.generators():
            if not generator.draws or (made, generator.name) in told:
                continue
            told.add((made, generator.name))
            here = generator.path == loader.path
            draw = generator.draws[0]
            other = (loader, "starts the workers") if here else (generator, "made once, here")
            yield rule.at(
                generator if here else loader,
                f"Every worker of the loader gets a copy of {draw.quoted} in the same state, so all of"
                " them draw the same numbers, in each epoch anew.",
                remedy="Draw from the global generators, which the loader seeds for each worker, or"
                " seed this one in a `worker_init_fn` with `torch.initial_seed()`.",
                label="copied to each worker",
                related=[other, (draw, "draws from it")],
            )


def _has_workers(loader: Loader) -> bool:
    """Say whether a loader is told how many workers it has, and that is not known to be none."""
    given = loader.argument("num_workers")
    if given is None or loader.argument("worker_init_fn") is not None:
        return False
    return given.literal() not in {0, None}


def _knows_workers(file: FileModel, made: DataSetClass) -> bool:
    """Say whether the code speaks of single workers, which may then have a seed each."""
    return any(one.speaks_of(_KNOWS_WORKERS) for one in (file, made.model))
