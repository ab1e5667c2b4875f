"""Outputs of shape (N, 1) and targets of shape (N,) are compared each with each."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trainlint.core.diagnosis import Diagnosis, Severity
from trainlint.core.rule import Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trainlint.static.model import Expr, FileModel, Step

rule = Rule(__name__, "TL617", Severity.ADVICE)

_ELEMENTWISE = {"MSELoss", "L1Loss", "SmoothL1Loss", "HuberLoss"}


@rule.check
def check(file: FileModel) -> Iterator[Diagnosis]:
    """Find losses between the output of one unit and a target that surely has one dimension."""
    for loss in file.losses():
        if loss.kind not in _ELEMENTWISE or loss.input is None or loss.target is None:
            continue
        head = _head(file, loss.input)
        if head is None or loss.call.expected_to_fail or file.rank_of(loss.target) != 1:
            continue
        yield rule.at(
            loss,
            f"{loss.input.quoted} has the shape (N, 1) and {loss.target.quoted} the shape (N,): the"
            " loss compares each output with each target, and the network learns their mean.",
            remedy="Give both the same shape: `.unsqueeze(1)` on the target, or `.squeeze(1)` on"
            " the output.",
            label="broadcast to (N, N)",
            related=[(head.at, "has one output")],
        )


def _head(file: FileModel, value: Expr) -> Step | None:
    """Return the layer with one unit whose output a value is, its shape unchanged."""
    for step in reversed(file.way_to(value)):
        if step.is_dropout or step.is_activation:
            continue
        known = not step.optional and step.layer is not None and step.layer.kind == "Linear"
        return step if known and step.layer is not None and step.layer.width == 1 else None
    return None
