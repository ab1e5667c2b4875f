"""A method of a model or optimizer stands alone without parentheses."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trainlint.core.diagnosis import Diagnosis, Severity
from trainlint.core.fix import Fix, Safety
from trainlint.core.rule import Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trainlint.static.model import FileModel

rule = Rule(__name__, "TL508", Severity.ERROR, fixable=Safety.UNSAFE)

_OWNERS = {
    "train": {"model"},
    "eval": {"model"},
    "zero_grad": {"model", "optimizer"},
    "step": {"optimizer", "scheduler", "scaler"},
    "update": {"scaler"},
}
_HARM = {
    "train": "the model stays in the mode it was in",
    "eval": "the model stays in the mode it was in",
    "zero_grad": "no gradient is cleared",
    "step": "nothing is updated",
    "update": "the scale never adapts",
    "backward": "no gradient is computed",
}


@rule.check
def check(file: FileModel) -> Iterator[Diagnosis]:
    """Find methods of the training loop that are looked up as a statement."""
    for expr in file.expression_statements():
        owner, method = expr.owner, expr.name
        if not expr.is_attribute or owner is None or method not in _HARM or not file.has_layers:
            continue
        if method == "backward":
            if expr.qualified is not None or file.class_of_self(owner.site, owner.node):
                continue
        elif file.role_of(owner) not in _OWNERS[method]:
            continue
        edit = expr.replaced_by(f"{expr.source_text}()")
        yield rule.at(
            expr,
            f"{expr.quoted} is looked up and not called, so {_HARM[method]}.",
            remedy=f"Call it: `{expr.text}()`.",
            label="does nothing",
            fix=Fix("Call the method", Safety.UNSAFE, (edit,)),
        )
