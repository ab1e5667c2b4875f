"""Momentum, a beta of Adam or the alpha of RMSProp lies outside of 0 to 1: the past never fades."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trainlint.core.diagnosis import Diagnosis, Severity
from trainlint.core.rule import Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trainlint.static.model import FileModel
    from trainlint.static.model.training import Given, Optimizer

rule = Rule(__name__, "TL403", Severity.ERROR, judges_configs=True)

_WORDS = {"momentum": "momentum", "alpha": "decay rate", "betas": "beta"}
_USUAL = {
    "momentum": "`momentum=0.9`",
    "alpha": "`alpha=0.99` or `alpha=0.9`",
    "betas": "`betas=(0.9, 0.999)`",
}


@rule.check
def check(file: FileModel) -> Iterator[Diagnosis]:
    """Find shares of the past that are no share, and Nesterov's momentum without any."""
    for optimizer in file.optimizers():
        if not optimizer.is_torch or optimizer.call.expected_to_fail:
            continue
        for name, given in _shares(optimizer):
            if 0 <= given.value < 1:
                continue
            fault = "under 0" if given.value < 0 else "not under 1: the past never fades"
            yield rule.at(
                given,
                f"The {_WORDS[name]} {given.value:g} in {given.at.quoted} is {fault}.",
                remedy=f"Pass a share from 0 up to, but not including, 1; usual is {_USUAL[name]}.",
                label=f"a {_WORDS[name]} of {given.value:g}",
                related=given.sources,
            )
        if _looks_ahead_along_nothing(optimizer):
            yield rule.at(
                optimizer,
                f"{optimizer.call.quoted} asks for Nesterov's momentum but has no momentum, which torch"
                " refuses.",
                remedy="Pass `momentum=0.9` too, or leave out `nesterov`.",
                label="no momentum to look ahead along",
            )


def _shares(optimizer: Optimizer) -> Iterator[tuple[str, Given]]:
    """Yield the known shares that an optimizer is given, by parameter; the first bad one of a pair."""
    if "momentum" in optimizer.parameters:
        yield from (("momentum", given) for given in optimizer.given("momentum"))
    if optimizer.kind == "RMSprop":
        yield from (("alpha", given) for given in optimizer.given("alpha"))
    if "betas" in optimizer.parameters:
        betas = [given for given in optimizer.given_pair("betas") if given is not None]
        bad = [given for given in betas if not 0 <= given.value < 1]
        yield from (("betas", given) for given in bad[:1])


def _looks_ahead_along_nothing(optimizer: Optimizer) -> bool:
    """Say whether an SGD is told to use Nesterov's momentum, and surely has none."""
    nesterov, momentum = optimizer.argument("nesterov"), optimizer.argument("momentum")
    if optimizer.kind != "SGD" or nesterov is None or nesterov.truth() is not True:
        return False
    if optimizer.call.is_open or not optimizer.models:
        return False
    if any("momentum" in group for group in optimizer.groups):
        return False
    return momentum is None or momentum.number() == 0
