"""Which code of a distributed training runs in every process, and which in one of them."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING

from trainlint.core.loop import LoopEvent

if TYPE_CHECKING:
    from trainlint.static.model.expression import Call, Expr, Function
    from trainlint.static.model.file import FileModel

RANK_WORDS = re.compile(
    r"rank|master|main|primary|chief|leader|world|gpu|node|proc|worker|writer|device|host|zero|dist"
    r"|replica|shard|should|pid",
    re.IGNORECASE,
)
"""What a test, a file name or a data set says that is for one process only."""

_ALONE = re.compile(r"alone|parallel", re.IGNORECASE)
"""What a test says, beside that, that asks whether there is more than one process."""
_OPTIONS = frozenset({"args", "opt", "opts", "cfg", "config", "conf", "hparams", "flags", "FLAGS"})
_ORDERS = (ast.Lt, ast.LtE, ast.Gt, ast.GtE)
_SETS_UP = frozenset(
    {
        "torch.distributed.init_process_group",
        "torch.nn.parallel.DistributedDataParallel",
    }
)
_MOST_CALLS = 6


def speaks_of_rank(expr: Expr) -> bool:
    """Say whether an expression, or what made it, has to do with the number of the process."""
    return any(
        RANK_WORDS.search(text) for text in (expr.text, *(origin.text for origin in expr.origins()))
    )


def runs_in_every_process(model: FileModel, call: Call) -> bool:
    """Say whether a call surely runs in every process of a training that this file starts or runs.

    Not where a test on the way to it asks for the rank, or may: what it asks must be known to be
    about something else. The way begins where the processes are set up, or with a training loop.
    """
    return _every(model, call, _MOST_CALLS)


def _every(model: FileModel, call: Call, depth: int) -> bool:
    """Go from a call to those who call its function."""
    if depth == 0 or not all(_is_about_else(test) for test, _ in call.decided_by):
        return False
    function = call.function
    if function is None:
        return True
    if any(not _is_harmless(one) for one in function.decorators):
        return False
    if _sets_up(function):
        return True
    callers = (*function.callers, *(model.elsewhere.calls(function.scope) or ()))
    if callers:
        return any(_every(one.model, one, depth - 1) for one in callers)
    return any(
        routine.function == function and routine.of(LoopEvent.BACKWARD)
        for routine in model.routines()
    )


def _sets_up(function: Function) -> bool:
    """Say whether a function joins the group of processes, or wraps the model for it."""
    return any(call.callee in _SETS_UP for call in function.calls)


def _is_harmless(decorator: Expr) -> bool:
    """Say whether a decorator surely lets every process in."""
    name = decorator.text
    return name.startswith(("torch.no_grad", "torch.inference_mode", "record", "staticmethod")) or (
        "errors.record" in name
    )


def _is_about_else(test: Expr) -> bool:
    """Say whether a test is surely about something else than the rank: epochs, scores, options."""
    node = test.node
    if isinstance(node, ast.BoolOp):
        return all(_is_about_else(test.child(part)) for part in node.values)
    if isinstance(node, ast.UnaryOp):
        return _is_about_else(test.child(node.operand))
    if _ALONE.search(test.text) or any(speaks_of_rank(part) for part in test.parts()):
        return False
    if isinstance(node, ast.Compare):
        if any(isinstance(operator, _ORDERS) for operator in node.ops) or test.counts_iterations:
            return True
        return not any(
            isinstance(side, ast.Constant) and side.value in {0, None}
            for side in (node.left, *node.comparators)
        )
    if test.counts_iterations or test.truth() is not None:
        return True
    owner = test.owner
    return owner is not None and owner.name in _OPTIONS
