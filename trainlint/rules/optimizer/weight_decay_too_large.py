"""The weight decay is so large that it pulls the weights to 0 faster than the loss can move them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trainlint.core.diagnosis import Diagnosis, Severity
from trainlint.core.rule import Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trainlint.static.model import FileModel

rule = Rule(__name__, "TL418", Severity.WARNING, judges_configs=True)


@rule.check
def check(
    file: FileModel,
    *,
    limit: float = 0.5,  # recipes go up to 0.3 (ViT)
) -> Iterator[Diagnosis]:
    """Compare the weight decays that optimizers are given with what ever trains."""
    if file.is_test or file.speaks_of("grok") or _is_scheduled(file):
        return
    for optimizer in file.optimizers():
        if not optimizer.is_torch or "weight_decay" not in optimizer.parameters:
            continue
        for given in optimizer.given("weight_decay"):
            if given.value < limit or not given.trains_modules or optimizer.call.expected_to_fail:
                continue
            usual = "0.01 to 0.1" if optimizer.kind == "AdamW" else "1e-5 to 5e-4"
            yield rule.at(
                given,
                f"The weight decay {given.quoted} is {limit:g} or more and pulls the weights to 0 faster"
                " than the loss can move them.",
                remedy=f"Use {usual} with {optimizer.kind}.",
                label=f"a decay of {given.value:g}",
                related=given.sources,
            )


def _is_scheduled(file: FileModel) -> bool:
    """Say whether the loop writes a weight decay of its own into the groups."""
    return any(
        target.owner is not None and not target.is_attribute
        for target, _ in file.assignments("weight_decay")
    )
