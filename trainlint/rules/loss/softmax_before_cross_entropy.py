"""A cross-entropy loss receives probabilities and applies the softmax a second time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trainlint.core.diagnosis import Diagnosis, Severity
from trainlint.core.fix import Fix, Safety
from trainlint.core.rule import Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trainlint.static.model import FileModel

rule = Rule(__name__, "TL301", Severity.ERROR, fixable=Safety.UNSAFE)

_SOFTMAXES = {"Softmax", "Softmax2d"}


@rule.check
def check(file: FileModel) -> Iterator[Diagnosis]:
    """Find cross-entropy losses whose input is the output of a softmax on every way."""
    for loss in file.losses():
        if loss.kind != "CrossEntropyLoss" or loss.input is None:
            continue
        makers = file.producers(loss.input)
        if not makers or any(step.kind not in _SOFTMAXES or step.optional for step in makers):
            continue
        edits = [step.removal for step in makers]
        mended = tuple(edit for edit in edits if edit is not None)
        fix = Fix("Hand the logits to the loss", Safety.UNSAFE, mended)
        yield rule.at(
            loss,
            f"{loss.call.called.quoted} takes raw logits and applies the softmax itself, but"
            f" {loss.input.quoted} is the output of a softmax: gradients are small and the loss"
            " cannot come near 0.",
            remedy="Hand the logits to the loss; apply the softmax where probabilities are shown.",
            label="applies the softmax again",
            related=[(step.at, "the first softmax") for step in makers],
            fix=fix if len(mended) == len(edits) else None,
        )
