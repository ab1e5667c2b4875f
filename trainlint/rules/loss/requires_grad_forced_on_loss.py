"""Setting `requires_grad` on a loss silences the error and trains nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trainlint.core.diagnosis import Diagnosis, Severity
from trainlint.core.rule import Rule
from trainlint.static.model import Call, Expr, FileModel

if TYPE_CHECKING:
    from collections.abc import Iterator

rule = Rule(__name__, "TL306", Severity.ERROR)

_LEAVES = ("zeros", "ones", "tensor", "randn", "rand", "empty", "full", "Tensor", "FloatTensor")
"""What makes a tensor that may rightly be told to require a gradient."""


@rule.check
def check(file: FileModel) -> Iterator[Diagnosis]:
    """Find losses that are told to require a gradient."""
    for place, value in _forced(file):
        if not _is_loss(file, value):
            continue
        yield rule.at(
            place,
            f"The loss {value.quoted} is told to require a gradient: the gradient then ends at it, and"
            " the weights stay as they are.",
            remedy="Take this out and find where the graph was cut: `.item()`, `.detach()`, `no_grad`,"
            " `argmax`, NumPy, frozen parameters.",
            label="a loss requires a gradient by itself",
        )


def _forced(file: FileModel) -> Iterator[tuple[Expr, Expr]]:
    """Yield each place where something is told to require a gradient, and what it is."""
    for call in file.method_calls("requires_grad_"):
        flag = call.argument(0, "requires_grad")
        if call.receiver is not None and (flag is None or flag.truth() is True):
            yield call, call.receiver
    for target, value in file.assignments("requires_grad"):
        if target.owner is not None and value is not None and value.truth() is True:
            yield target, target.owner


def _is_loss(file: FileModel, value: Expr) -> bool:
    """Say whether a value comes out of a loss function, or is called a loss and propagated."""
    losses = {loss.call for loss in file.losses()}
    origins = value.origins()
    if all(isinstance(origin, Call) and origin in losses for origin in origins):
        return True
    if "loss" not in (value.name or "").lower() or any(_is_leaf(origin) for origin in origins):
        return False
    return any(
        call.receiver is not None
        and call.receiver.same_as(value)
        and call.function == value.function
        for call in file.method_calls("backward")
    )


def _is_leaf(origin: Expr) -> bool:
    """Say whether a value starts a graph of its own."""
    return isinstance(origin, Call) and origin.method in _LEAVES
