"""Two activations follow each other, and the second gets no use out of what the first leaves."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trainlint.core.diagnosis import Diagnosis, Severity
from trainlint.core.fix import Fix, Safety
from trainlint.core.rule import Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trainlint.static.model import FileModel, Step

rule = Rule(__name__, "TL210", Severity.WARNING, fixable=Safety.UNSAFE)

_RECTIFIERS = {"ReLU", "ReLU6"}
_LEAKY = {"LeakyReLU", "PReLU", "RReLU", "ELU", "CELU", "SELU"}
_NOT_NEGATIVE = {"ReLU", "ReLU6", "Sigmoid", "Hardsigmoid", "Softmax", "Softplus"}
_SQUASHES = {"Sigmoid", "Tanh", "Softmax", "LogSoftmax", "GELU", "SiLU"}


@rule.check
def check(file: FileModel) -> Iterator[Diagnosis]:
    """Find pairs of activations that undo each other, with nothing but changes of shape between."""
    found: dict[tuple[Step, Step], set[str]] = {}
    for stack in () if file.serves_tests else file.stacks():
        source: Step | None = None
        before: Step | None = None
        for step in stack.steps:
            if source is not None and step.is_activation and _stand_together(file, source, step):
                found.setdefault((source, step), set()).add("" if before is None else before.kind)
            if not step.keeps_values:
                before, source = source, step
    for (first, second), befores in found.items():
        harm = _harm(first, second, befores)
        if harm is None:
            continue
        useless = second if _changes_nothing(first, second) else first
        edit = useless.removal
        yield rule.at(
            second.at,
            f"{second.at.quoted} gets what {first.at.quoted} puts out, so {harm}.",
            remedy=f"Take {useless.at.quoted} away.",
            label="a second activation",
            related=[(first.at, "the first")],
            fix=None if edit is None else Fix("Take one away", Safety.UNSAFE, (edit,)),
        )


def _stand_together(file: FileModel, first: Step, second: Step) -> bool:
    """Say whether two steps are two places of one function or class, and no ``if`` decides about them."""
    if first.optional or second.optional or first.at == second.at:
        return False
    home = file.class_around(second.at)
    return first.at.function == second.at.function or (
        home is not None and file.class_around(first.at) == home
    )


def _changes_nothing(first: Step, second: Step) -> bool:
    """Say whether the second puts out what it gets."""
    return first.kind in _NOT_NEGATIVE and second.kind in _RECTIFIERS | _LEAKY


def _harm(first: Step, second: Step, befores: set[str]) -> str | None:
    """Say in words what is wrong with a pair; None where it may be meant."""
    one, other = first.kind, second.kind
    if _changes_nothing(first, second):
        return "it changes nothing: that is never negative"
    if one in _LEAKY and other in _RECTIFIERS:
        return "the slope for negative values is lost"
    if one in _RECTIFIERS and other == "Sigmoid":
        return "no output is ever below 0.5"
    if one in _RECTIFIERS and other in {"Softmax", "LogSoftmax"}:
        weighed = {"Linear", "LazyLinear", "Conv1d", "Conv2d"}
        return "all negative scores count alike and get no gradient" if befores <= weighed else None
    if one in {"Sigmoid", "Softmax"} and other == "Sigmoid":
        return "every output lies between 0.5 and 0.73"
    if one == "Tanh" and other == "Sigmoid":
        return "every output lies between 0.27 and 0.73"
    if one == other and one in _SQUASHES:
        return "the values are squashed twice"
    return None
