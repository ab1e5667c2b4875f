"""A loader decodes its examples in the process that trains, which waits for each batch."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trainlint.core.diagnosis import Diagnosis, Severity
from trainlint.core.rule import Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trainlint.static.model import FileModel

rule = Rule(__name__, "TL709", Severity.ADVICE)


@rule.check
def check(file: FileModel) -> Iterator[Diagnosis]:
    """Find loaders without workers over data that takes work to read."""
    for loader in () if file.is_test else file.loaders():
        workers, data = loader.argument("num_workers"), loader.argument("dataset")
        if loader.is_open or data is None or not file.decodes(data):
            continue
        if workers is None or (workers.is_settled and workers.number() == 0):
            yield rule.at(
                loader,
                f"{loader.call.called.quoted} has no workers, so the training waits while each batch"
                " is read and transformed.",
                remedy="Pass `num_workers`: start with 2 to 4 and raise it while the time per epoch"
                " falls.",
                label="reads in the training process",
            )
