"""A loss on logits receives the output of a ReLU, which has no negative ones."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trainlint.core.diagnosis import Diagnosis, Severity
from trainlint.core.fix import Fix, Safety
from trainlint.core.rule import Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trainlint.static.model import FileModel, Step

rule = Rule(__name__, "TL207", Severity.WARNING, fixable=Safety.UNSAFE)

_RECTIFIERS = {"ReLU", "ReLU6"}
_HARM = {
    "CrossEntropyLoss": "a score below 0 is cut off, and its class gets no gradient",
    "BCEWithLogitsLoss": "no probability is ever below 0.5",
    "MultiLabelSoftMarginLoss": "no probability is ever below 0.5",
}


@rule.check
def check(file: FileModel) -> Iterator[Diagnosis]:
    """Find losses on logits whose input is the output of a rectifier on every way."""
    told: set[Step] = set()
    for loss in () if file.serves_tests else file.losses():
        if loss.kind not in _HARM or loss.input is None or loss.call.expected_to_fail:
            continue
        makers = file.producers(loss.input)
        if not makers or any(step.kind not in _RECTIFIERS or step.optional for step in makers):
            continue
        if told.issuperset(makers):
            continue
        told.update(makers)
        edits = [step.removal for step in makers]
        mended = tuple(edit for edit in edits if edit is not None)
        fix = Fix("Hand on what the last layer puts out", Safety.UNSAFE, mended)
        yield rule.at(
            loss,
            f"{loss.call.called.quoted} takes logits of either sign, but {loss.input.quoted} is the"
            f" output of {makers[0].at.quoted}: {_HARM[loss.kind]}.",
            remedy="Put no activation behind the last layer.",
            label="gets no negative logits",
            related=[(step.at, "cuts off what is negative") for step in makers],
            fix=fix if len(mended) == len(edits) else None,
        )
