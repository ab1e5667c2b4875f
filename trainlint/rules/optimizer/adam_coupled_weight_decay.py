"""Adam adds its weight decay to the gradient, and then divides most of it away again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trainlint.core.diagnosis import Diagnosis, Severity
from trainlint.core.fix import Fix, Safety
from trainlint.core.rule import Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trainlint.static.model import FileModel, Optimizer

rule = Rule(__name__, "TL416", Severity.WARNING, fixable=Safety.UNSAFE, judges_configs=True)


@rule.check
def check(
    file: FileModel,
    *,
    warn_from: float = 0.01,  # AdamW's default: meant as a decay
) -> Iterator[Diagnosis]:
    """Find weight decays of Adam that are surely not decoupled."""
    for optimizer in () if file.is_test else file.optimizers():
        if optimizer.kind != "Adam" or not optimizer.is_torch or _may_be_decoupled(optimizer):
            continue
        for given in optimizer.given("weight_decay"):
            if given.value <= 0 or not given.trains_modules or optimizer.call.expected_to_fail:
                continue
            # Decays that differ by group are a penalty that somebody has tuned.
            large = given.value >= warn_from and not given.in_group
            yield rule.at(
                given,
                f"`Adam` adds the weight decay {given.quoted} to the gradient, where it is divided by the"
                " size of the gradient again: the weights that move most are held back least.",
                remedy="Use `torch.optim.AdamW`, which takes the decay off the weights themselves.",
                label="an L2 penalty, no decay",
                related=given.sources,
                fix=_fix(file, optimizer),
                severity=rule.severity if large else Severity.ADVICE,
            )


def _may_be_decoupled(optimizer: Optimizer) -> bool:
    """Say whether an option asks Adam to decay as AdamW does."""
    decoupled = optimizer.call.keywords.get("decoupled_weight_decay")
    return decoupled is not None and decoupled.truth() is not False


def _fix(file: FileModel, optimizer: Optimizer) -> Fix | None:
    """Return the edit that names AdamW; None where the file cannot write it as it writes Adam."""
    called = optimizer.call.called
    if called.qualified != "torch.optim.Adam":
        return None
    edit = called.renamed("AdamW") if called.name == "Adam" else None
    if edit is None:
        written = file.spelling("torch.optim.AdamW")
        edit = None if written is None else called.replaced_by(written)
    if edit is None:
        return None
    return Fix("Use AdamW", Safety.UNSAFE, (edit,))
