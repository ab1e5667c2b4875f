"""A parameter that is moved or converted where it is made is no parameter any more."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeGuard

from trainlint.core.diagnosis import Diagnosis, Severity
from trainlint.core.fix import Fix, Safety
from trainlint.core.rule import Rule
from trainlint.static.model import Call

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trainlint.static.model import Expr, FileModel

rule = Rule(__name__, "TL602", Severity.ERROR, fixable=Safety.UNSAFE)

_MOVES = ("to", "cuda", "xpu", "half", "double", "bfloat16", "type")
_AS_IT_IS = {"cpu", "torch.float", "torch.float32", "torch.FloatTensor"}
"""Where and what a new parameter is already."""


@rule.check
def check(file: FileModel) -> Iterator[Diagnosis]:
    """Find moves and conversions of a new parameter in the methods that set a module up."""
    for move in file.method_calls(*_MOVES):
        made = move.receiver
        if not isinstance(made, Call) or made.callee != "torch.nn.Parameter":
            continue
        module = file.module_around(move)
        if module is None or move.function in module.running or _does_nothing(file, move):
            continue
        yield rule.at(
            move,
            f"{move.quoted} is computed from the parameter and no parameter itself: it is not"
            " registered, so it is neither trained nor saved.",
            remedy="Move or convert the tensor before it is wrapped, or leave it to the module's own"
            f" `.{move.method}()`.",
            label="a copy of the parameter",
            fix=_fix(move),
        )


def _does_nothing(file: FileModel, move: Call) -> bool:
    """Say whether a move returns the parameter itself: it is there, and of that type, already."""
    given = [*move.args, *move.keywords.values()]
    given += [passed for one in given for passed in file.passed_from_elsewhere(one)]
    if not given:
        return move.method in {"to", "type"}
    origins = [origin for one in given for origin in one.origins()]
    inner = (one.args[0] if _is_device(one) else one for one in origins)
    return {one.string() or one.qualified for one in inner} <= _AS_IT_IS


def _is_device(expr: Expr) -> TypeGuard[Call]:
    """Say whether an expression makes a device: ``torch.device("cpu")``."""
    return isinstance(expr, Call) and expr.callee == "torch.device" and bool(expr.args)


def _fix(move: Call) -> Fix | None:
    """Return the fix that moves the tensor inside of the parentheses."""
    made = move.receiver
    tensor = made.argument(0, "data") if isinstance(made, Call) else None
    if made is None or tensor is None:
        return None
    then = move.source_text[len(made.source_text) :]
    text = made.source_with(tensor.replaced_by(tensor.operand_text + then))
    return Fix("Move the tensor before it is wrapped", Safety.UNSAFE, (move.replaced_by(text),))
