"""Adam gets a learning rate of 0.01 or more, and throws a deep network around."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trainlint.core.diagnosis import Diagnosis, Severity
from trainlint.core.rule import Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trainlint.static.model import FileModel
    from trainlint.static.model.training import Given

rule = Rule(__name__, "TL402", Severity.WARNING, judges_configs=True)

_ADAMS = {"Adam", "AdamW", "NAdam", "RAdam"}
_FEW_NUMBERS = r"^(gpytorch|botorch|pyro|linear_operator)$"
"""Packages for models of a few numbers each, such as Gaussian processes, for which 0.1 is usual."""


@rule.check
def check(
    file: FileModel,
    *,
    rate: float = 0.1,  # a hundred times Adam's default
    rate_if_deep: float = 0.01,  # UMLAUT: LRHigh
    layers: int = 4,  # shallow policies learn at 0.01
) -> Iterator[Diagnosis]:
    """Find high rates of the Adam family for modules, the lower bound where those are seen to be deep."""
    for optimizer in () if file.serves_tests else file.optimizers():
        if optimizer.is_of_one_layer or optimizer.kind not in _ADAMS or not optimizer.is_torch:
            continue
        for given in optimizer.given("lr"):
            if given.value < rate_if_deep or not given.trains_modules or optimizer.rate_is_idle:
                continue
            is_deep = optimizer.depth >= layers
            if not is_deep and (given.value < rate or file.speaks_of(_FEW_NUMBERS)):
                continue
            if optimizer.call.expected_to_fail or _is_for_another(file, given):
                continue
            yield rule.at(
                given,
                f"The learning rate {given.quoted} moves every weight by about {given.value:g} in each"
                f" step of {optimizer.kind}, whatever its gradient, so the loss jumps or stays on a"
                " plateau.",
                remedy="Start with 1e-3 or 3e-4 and tune from there.",
                label=f"a rate of {given.value:g}",
                related=given.sources,
            )


def _is_for_another(file: FileModel, given: Given) -> bool:
    """Say whether an optimizer of another kind, of which one is chosen, gets the very same number."""
    origins = set(given.at.origins())
    return any(
        origins.intersection(other.at.origins())
        for optimizer in file.optimizers()
        if optimizer.kind not in _ADAMS
        for other in optimizer.given("lr")
    )
