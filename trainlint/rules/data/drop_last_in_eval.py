"""A loader of validation or test data leaves the last examples out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trainlint.core.diagnosis import Diagnosis, Severity
from trainlint.core.fix import Fix, Safety
from trainlint.core.rule import Rule
from trainlint.static.model import Purpose

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trainlint.static.model import FileModel, Loader

rule = Rule(__name__, "TL707", Severity.WARNING, fixable=Safety.UNSAFE)


@rule.check
def check(file: FileModel) -> Iterator[Diagnosis]:
    """Find `drop_last=True` on loaders that are named for evaluation, or read data that is."""
    padded = any(file.calls_passing("pad_to_multiple_of"))
    for loader in () if file.is_test or padded else file.loaders():
        drop = loader.argument("drop_last")
        if drop is None or loader.purpose is not Purpose.EVALUATION:
            continue
        if drop.truth() is not True or not drop.is_settled or _is_one_by_one(loader):
            continue
        written = drop.text == "True" and drop in loader.call.parts()
        fix = Fix("Keep the last batch", Safety.UNSAFE, (drop.replaced_by("False"),))
        yield rule.at(
            drop if written else loader,
            f"{loader.call.called.quoted} leaves the last incomplete batch out with `drop_last`, so"
            " the score is not that of the whole data set.",
            remedy="Keep the last batch for validation and testing: `drop_last=False`.",
            label="leaves examples out",
            fix=fix if written else None,
        )


def _is_one_by_one(loader: Loader) -> bool:
    """Say whether each batch is, or may well be, a single example, so that none is incomplete.

    A size that is kept for evaluation alone, and not known, is often 1: images of any size.
    """
    size = loader.argument("batch_size")
    if size is None:
        return not loader.is_open
    number = loader.number("batch_size")
    return number == 1 or (number is None and Purpose.of(size.text) is Purpose.EVALUATION)
