"""A decay rate of RMSProp or Adam is far from the usual ones, so the steps follow noise or history."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trainlint.core.diagnosis import Diagnosis, Severity
from trainlint.core.rule import Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trainlint.static.model import FileModel
    from trainlint.static.model.training import Given, Optimizer

rule = Rule(__name__, "TL413", Severity.ADVICE, judges_configs=True)

_ALPHA = (0.8, 0.999)
"""RMSProp: 0.9 in the lecture, 0.99 in torch."""
_FIRST = (0.8, 0.99)
"""The average of the gradient: 0.9, as a momentum is."""
_SECOND = (0.9, 0.9999)
"""The average of its square: 0.999, and from 0.95 for language models."""


@rule.check
def check(file: FileModel) -> Iterator[Diagnosis]:
    """Compare the decay rates that optimizers are given with what is usual."""
    pair = len(file.optimizers()) > 1
    for optimizer in file.optimizers():
        if not optimizer.is_torch or not optimizer.models or optimizer.call.expected_to_fail:
            continue
        for name, given, usual in _unusual(optimizer, pair=pair):
            yield rule.at(
                given,
                f"The {name} of {given.value:g} in {given.at.quoted} is far from the usual {usual}.",
                remedy=f"Use {usual} unless a measurement says otherwise.",
                label=f"{given.value:g}",
                related=given.sources,
            )


def _unusual(optimizer: Optimizer, *, pair: bool) -> Iterator[tuple[str, Given, str]]:
    """Yield the rates outside of what is usual: what each is, and which value is usual.

    A small first beta is usual for the two networks of an adversarial pair.
    """
    if optimizer.kind == "RMSprop":
        for given in optimizer.given("alpha"):
            if _is_rate(given) and not _within(given, _ALPHA):
                yield "decay rate", given, "0.9 or 0.99"
        return
    betas = optimizer.given_pair("betas") if "betas" in optimizer.parameters else []
    if len(betas) != 2 or not all(given is None or _is_rate(given) for given in betas):  # noqa: PLR2004 - a pair
        return
    first, second = betas
    if (
        first
        and second
        and second.value < first.value
        and _within(second, _FIRST)
        and _within(first, _SECOND)
    ):
        return
    if second and not _within(second, _SECOND):
        yield "second beta", second, "0.999"
    elif first and not _within(first, _FIRST) and not pair:
        yield "first beta", first, "0.9"


def _is_rate(given: Given) -> bool:
    """Say whether a number can be a decay rate; those that cannot belong to another rule."""
    return 0 <= given.value < 1


def _within(given: Given, bounds: tuple[float, float]) -> bool:
    """Say whether a rate lies within bounds."""
    return bounds[0] <= given.value <= bounds[1]
