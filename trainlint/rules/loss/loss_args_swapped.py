"""A loss is given the target first and the prediction second."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from trainlint.core.diagnosis import Diagnosis, Severity
from trainlint.core.fix import Fix, Safety
from trainlint.core.rule import Rule
from trainlint.static.model import Call

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trainlint.static.model import Expr, FileModel, Loss

rule = Rule(__name__, "TL308", Severity.ERROR, fixable=Safety.UNSAFE)

_ASYMMETRIC = {
    "CrossEntropyLoss",
    "NLLLoss",
    "BCELoss",
    "BCEWithLogitsLoss",
    "PoissonNLLLoss",
    "MultiMarginLoss",
    "MultiLabelSoftMarginLoss",
}
"""Losses that are another number when their arguments change places."""
_TARGET = re.compile(r"^(\w+_)?(targets?|labels?|y_?true|ground_?truth|gts?|truths?|tgts?)(_\w+)?$")
_OUTPUT = re.compile(
    r"^(\w+_)?(outputs?|logits?|preds?|predictions?|predicted|y_?preds?|y_?hat|scores?|probs?)(_\w+)?$"
)

_SECONDS = {"y", "yb", "y_batch", "batch_y", "y_train"}
"""What the second part of a batch is called, which alone says nothing."""


@rule.check
def check(file: FileModel) -> Iterator[Diagnosis]:
    """Find losses whose first argument is data by name and origin, and whose second a model made."""
    for loss in file.losses():
        first, second = loss.input, loss.target
        if loss.kind not in _ASYMMETRIC or first is None or second is None:
            continue
        by_name = _is_target(first) and _is_output(file, second)
        if loss.call.expected_to_fail or not (
            by_name or (_is_second_of_batch(first) and _is_of_model(file, second))
        ):
            continue
        swapped = (
            first.replaced_by(second.source_text),
            second.replaced_by(first.source_text),
        )
        yield rule.at(
            loss,
            f"{loss.call.called.quoted} takes the prediction first, but is given"
            f" {first.quoted} before {second.quoted}: the loss measures the wrong way round.",
            remedy="Change the places of the two: prediction first, target second.",
            label="target first",
            fix=Fix("Change their places", Safety.UNSAFE, swapped) if _by_place(loss) else None,
        )


def _core(expr: Expr) -> Expr:
    """Return the name behind changes of shape, type and device: ``labels`` of ``labels.view(-1)``."""
    while isinstance(expr, Call) and expr.callee is None and expr.receiver is not None:
        if expr.receiver.name == "self":
            break
        expr = expr.receiver
    return expr


def _is_target(expr: Expr) -> bool:
    """Say whether an expression is a target by its name, and nothing computes it."""
    core = _core(expr)
    name = (core.name or "").lower()
    if not core.is_name or not _TARGET.match(name) or _OUTPUT.match(name):
        return False
    for origin in core.objects():
        behind = _core(origin)
        if behind.is_name:
            binding = behind.binding
            if binding is None or isinstance(behind, Call):
                return False
        elif not behind.is_attribute or not _TARGET.match((behind.name or "").lower()):
            return False
    return True


def _is_second_of_batch(expr: Expr) -> bool:
    """Say whether a value is called ``y`` and is what a loop or an unpacking gives behind another."""
    core = _core(expr)
    if not core.is_name or (core.name or "").lower() not in _SECONDS:
        return False
    behind = [_core(origin) for origin in core.objects()]
    return all(
        one.binding is not None and not one.is_parameter and one.binding.path[-1:] > (0,)
        for one in behind
    )


def _is_of_model(file: FileModel, expr: Expr) -> bool:
    """Say whether each origin of a value is the output of a model."""
    return all(
        isinstance(one, Call)
        and one.callee is None
        and bool(one.args)
        and file.role_of(one.called) == "model"
        for one in map(_core, _core(expr).origins())
    )


def _is_output(file: FileModel, expr: Expr) -> bool:
    """Say whether a model makes a value: by the layer that does, or by name and by a call."""
    makers = file.producers(expr)
    if makers and all(step.layer is not None for step in makers):
        return True
    core = _core(expr)
    name = (core.name or "").lower()
    if isinstance(core, Call):
        return core.callee is None and file.role_of(core.called) == "model"
    if not core.is_name or not _OUTPUT.match(name) or _TARGET.match(name):
        return False
    origins = core.origins()
    return all(isinstance(one, Call) or one.is_parameter for one in origins)


def _by_place(loss: Loss) -> bool:
    """Say whether both are passed by position."""
    return len(loss.call.args) > 1
