"""Which way a metric improves, by the words of its name."""

from __future__ import annotations

import ast
import re
from enum import StrEnum
from typing import TYPE_CHECKING

from trainlint.static.model.expression import Call
from trainlint.static.model.purpose import words_of

if TYPE_CHECKING:
    from trainlint.static.model.expression import Expr

_RISES = frozenset(
    {"acc", "accs", "accuracy", "accuracies", "auc", "auroc", "auprc", "f1", "fscore"}
    | {"iou", "miou", "bleu", "rouge", "meteor", "cider", "precision", "recall", "psnr"}
    | {"ssim", "reward", "rewards", "ndcg", "mrr", "top1", "top5", "r2", "rsquared"}
)
_R_SQUARED = re.compile(r"(?<![a-z])r_?(2|squared)(?![0-9])")
_DEFINED_AS_REST = frozenset({"r2", "rsquared"})
"""Metrics whose formula is ``1 - ...`` itself: what is missing to a perfect fit."""
_FALLS = frozenset(
    {"loss", "losses", "err", "error", "errors", "mse", "rmse", "mae", "mape", "nll"}
    | {"ppl", "bce", "perplexity", "wer", "cer", "eer", "fid", "lpips"}
)
_TURNS = frozenset(
    {"neg", "negative", "negated", "minus", "inv", "inverse", "inverted", "one"} | {"non"}
)
_KEEPS_METRIC = frozenset({"item", "mean", "float", "average", "cpu", "detach", "numpy", "compute"})


class Goal(StrEnum):
    """The direction in which a metric improves."""

    MIN = "min"
    MAX = "max"


def goal_of(expr: Expr) -> Goal | None:
    """Return which way a metric improves; None where its name says nothing, or two things.

    A value that is turned round on the way (``-acc``, ``1 - acc``) says nothing either.
    """
    text = _name_of(expr)
    if text is None:
        return None
    written = _R_SQUARED.sub("r2", text.lower())
    words = {*words_of(text), *re.split(r"[^a-z0-9]+", written)}
    origins = expr.origins()
    if words & _DEFINED_AS_REST:
        origins = tuple(one for one in origins if not _is_rest(one))
    if any(_is_turned(origin) for origin in origins):
        return None
    rises, falls = bool(words & _RISES), bool(words & _FALLS)
    if rises == falls or words & _TURNS:
        return None
    return Goal.MAX if rises else Goal.MIN


def _name_of(expr: Expr) -> str | None:
    """Return the name of a metric: of a variable, a key, a function that computes it."""
    if isinstance(expr.node, ast.Constant):
        return expr.string()
    if isinstance(expr.node, ast.Subscript):
        key = expr.child(expr.node.slice)
        return key.string() if isinstance(key.node, ast.Constant) else None
    if isinstance(expr, Call):
        if expr.method not in _KEEPS_METRIC:
            return expr.method
        inner = expr.args[0] if expr.args else expr.receiver
        return None if inner is None else _name_of(inner)
    return expr.name


def _is_rest(value: Expr) -> bool:
    """Say whether a value is what is missing to one, and not to one of the metrics defined so."""
    if value.operator != "Sub" or value.operands[0].number() != 1:
        return False
    names = [(part.name or "").lower() for part in value.operands[1].parts()]
    return not any(_R_SQUARED.search(name) for name in names)


def _is_turned(value: Expr) -> bool:
    """Say whether a value is a negative, a reciprocal, or what is missing to a number: ``1 - acc``."""
    if isinstance(value.node, ast.UnaryOp):
        return True
    if len(value.operands) != 2:  # noqa: PLR2004 - the two sides
        return False
    left, right = value.operands
    if value.operator in {"Sub", "Div"} and left.number() is not None:
        return True
    if value.operator == "Mult" and any((one.number() or 0) < 0 for one in (left, right)):
        return True
    return any(_is_turned(one) for one in (left, right))
