"""The negative log-likelihood loss receives something that is no log-probability."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trainlint.core.diagnosis import Diagnosis, Severity
from trainlint.core.fix import Edit, Fix, Safety
from trainlint.core.rule import Rule
from trainlint.static.model import Call, FileModel, Loss, Step

if TYPE_CHECKING:
    from collections.abc import Iterator

rule = Rule(__name__, "TL303", Severity.ERROR, fixable=Safety.UNSAFE)

_LOGARITHMS = {
    "softmax": "log_softmax",
    "Softmax": "LogSoftmax",
}


@rule.check
def check(file: FileModel) -> Iterator[Diagnosis]:
    """Find NLL losses whose input is known to be probabilities or raw outputs of a layer."""
    for loss in file.losses():
        if loss.kind != "NLLLoss" or loss.input is None:
            continue
        makers = file.producers(loss.input)
        raw = all(step.is_linear and not step.optional for step in makers)
        probable = all(step.kind in {"Softmax", "Sigmoid"} and not step.optional for step in makers)
        if not makers or not (raw or probable):
            continue
        given = "raw logits" if raw else "probabilities"
        edits = [_rename_loss(loss)] if raw else [_rename_softmax(step) for step in makers]
        mended = tuple(edit for edit in edits if edit is not None)
        title = "Use the cross-entropy loss" if raw else "Take the logarithm of the softmax"
        yield rule.at(
            loss,
            f"{loss.call.called.quoted} takes log-probabilities, but {loss.input.quoted} holds"
            f" {given}: the loss does not measure how likely the targets are.",
            remedy="Hand raw logits to `nn.CrossEntropyLoss`, or put `log_softmax` in front.",
            label="takes no logarithm",
            related=[(step.at, given) for step in makers],
            fix=Fix(title, Safety.UNSAFE, mended) if len(mended) == len(edits) else None,
        )


def _rename_softmax(step: Step) -> Edit | None:
    """Return the edit that turns a softmax into a log-softmax."""
    if not isinstance(step.at, Call) or step.kind != "Softmax":
        return None
    name = _LOGARITHMS.get(step.at.method or "")
    return None if name is None else step.at.called.renamed(name)


def _rename_loss(loss: Loss) -> Edit | None:
    """Return the edit that makes the loss a cross-entropy."""
    if loss.made is None:
        return loss.call.called.renamed("cross_entropy")
    return loss.made.called.renamed("CrossEntropyLoss")
