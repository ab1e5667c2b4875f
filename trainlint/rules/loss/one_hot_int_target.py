"""A target of whole numbers goes where the loss takes probabilities."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trainlint.core.diagnosis import Diagnosis, Severity
from trainlint.core.fix import Edit, Fix, Safety
from trainlint.core.rule import Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trainlint.static.model import Call, Expr, FileModel, Loss

rule = Rule(__name__, "TL310", Severity.ERROR, fixable=Safety.UNSAFE)

_ONE_HOT = "torch.nn.functional.one_hot"
_OF_CLASSES = {"CrossEntropyLoss", "NLLLoss"}
_OF_PROBABILITIES = {"BCELoss", "BCEWithLogitsLoss"}


@rule.check
def check(file: FileModel) -> Iterator[Diagnosis]:
    """Find one-hot targets of class losses, and integer targets of binary losses."""
    for loss in file.losses():
        target = loss.target
        if target is None or loss.kind not in _OF_CLASSES | _OF_PROBABILITIES:
            continue
        made = file.integer_maker(target)
        if made is None or loss.call.expected_to_fail:
            continue
        one_hot = made.callee == _ONE_HOT
        if loss.kind in _OF_CLASSES and not one_hot:
            continue
        what = "one-hot vectors of whole numbers" if one_hot else "whole numbers"
        takes = (
            "class indices" if loss.kind == "NLLLoss" else "class indices or floating-point numbers"
        )
        if loss.kind in _OF_PROBABILITIES:
            takes = "floating-point numbers"
        title, edit = _mend(file, loss, target, made)
        yield rule.at(
            loss,
            f"{loss.call.called.quoted} takes {takes} as target, but {target.quoted} holds {what}:"
            " the call ends in an error.",
            remedy="Hand the class indices to the loss."
            if loss.kind in _OF_CLASSES
            else "Turn the target into floating-point numbers with `.float()`.",
            label="target of the wrong type",
            related=[(made, "makes whole numbers")] if made not in loss.call.parts() else [],
            fix=Fix(title, Safety.UNSAFE, (edit,)) if edit is not None else None,
        )


def _mend(file: FileModel, loss: Loss, target: Expr, made: Call) -> tuple[str, Edit | None]:
    """Return the title and the edit of the fix."""
    if loss.kind in _OF_PROBABILITIES:
        return "Use floating-point numbers", target.replaced_by(f"{target.operand_text}.float()")
    indices = made.argument(0, "tensor")
    alone = target == made or file.reads_of(made) == (target,)
    edit = made.replaced_by(indices.source_text) if indices and alone else None
    return "Hand over the class indices", edit
