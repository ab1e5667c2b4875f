"""A binary cross-entropy with logits receives the output of a sigmoid and applies another."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trainlint.core.diagnosis import Diagnosis, Severity
from trainlint.core.fix import Fix, Safety
from trainlint.core.rule import Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trainlint.static.model import FileModel

rule = Rule(__name__, "TL302", Severity.ERROR, fixable=Safety.UNSAFE)


@rule.check
def check(file: FileModel) -> Iterator[Diagnosis]:
    """Find losses with logits whose input is the output of a sigmoid on every way."""
    for loss in file.losses():
        if loss.kind != "BCEWithLogitsLoss" or loss.input is None:
            continue
        makers = file.producers(loss.input)
        if not makers or any(step.kind != "Sigmoid" or step.optional for step in makers):
            continue
        edits = [step.removal for step in makers]
        mended = tuple(edit for edit in edits if edit is not None)
        fix = Fix("Hand the logits to the loss", Safety.UNSAFE, mended)
        yield rule.at(
            loss,
            f"{loss.call.called.quoted} takes raw logits and applies the sigmoid itself, but"
            f" {loss.input.quoted} is the output of a sigmoid: no probability is ever below 0.5.",
            remedy="Hand the logits to the loss, or keep the sigmoid and use `nn.BCELoss`.",
            label="applies the sigmoid again",
            related=[(step.at, "the first sigmoid") for step in makers],
            fix=fix if len(mended) == len(edits) else None,
        )
