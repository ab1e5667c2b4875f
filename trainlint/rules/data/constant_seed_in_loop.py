"""The loop of the training sets the same seed in every round."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trainlint.core.diagnosis import Diagnosis, Severity
from trainlint.core.rule import Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trainlint.static.model import FileModel

rule = Rule(__name__, "TL710", Severity.WARNING)

_RESTORES = r"rng_state|fork_rng|(^|_)(get_?state|set_?state)|local_seed|temp_seed"


@rule.check
def check(file: FileModel) -> Iterator[Diagnosis]:
    """Find seeds of a known constant in loops over the epochs or batches of a training."""
    if file.is_test or file.speaks_of(_RESTORES):
        return
    for seeding in file.seedings():
        seed = seeding.seed
        value = None if seed is None else seed.number()
        if seed is None or value is None:
            continue
        loops = seeding.training_loops
        if loops:
            yield rule.at(
                seeding,
                f"{seeding.call.quoted} starts the random numbers over with {value} in every round of"
                " the loop, so shuffling, dropout and augmentation repeat themselves.",
                remedy="Seed once, before the loop; give what has to be repeatable inside of it a"
                " generator of its own.",
                label="the same numbers again",
                related=[(loops[0], "in every round")],
            )
