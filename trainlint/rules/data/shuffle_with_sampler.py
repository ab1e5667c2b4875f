"""A loader is told to shuffle and given a sampler, which it refuses."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trainlint.core.diagnosis import Diagnosis, Severity
from trainlint.core.fix import Fix, Safety
from trainlint.core.rule import Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trainlint.static.model import Expr, FileModel, Loader

rule = Rule(__name__, "TL708", Severity.ERROR, fixable=Safety.UNSAFE)


@rule.check
def check(file: FileModel) -> Iterator[Diagnosis]:
    """Find loaders with `shuffle=True` and a sampler that is surely not None."""
    for loader in file.loaders():
        if loader.call.expected_to_fail or loader.flag("shuffle") is not True:
            continue
        for name in ("sampler", "batch_sampler"):
            sampler = loader.argument(name)
            if sampler is None or not loader.is_given(name):
                continue
            yield rule.at(
                loader,
                f"{loader.call.called.quoted} is told to shuffle and given {sampler.quoted}, and raises"
                " a `ValueError`: the sampler alone decides about the order.",
                remedy="Drop `shuffle=True`; use a sampler that draws at random.",
                label="two say the order",
                related=[(sampler, "decides about the order")],
                fix=_fix(loader, loader.argument("shuffle")),
            )
            break


def _fix(loader: Loader, shuffle: Expr | None) -> Fix | None:
    """Return the fix that drops `shuffle`, where the call itself says it by keyword."""
    if shuffle is None or shuffle in loader.call.args or shuffle not in loader.call.parts():
        return None
    edit = loader.call.without_argument(shuffle)
    return None if edit is None else Fix("Drop `shuffle`", Safety.UNSAFE, (edit,))
