"""What data is for, training or evaluation, by the words around it."""

from __future__ import annotations

import ast
import re
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trainlint.static.model.expression import Call, Expr

_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")
_TAIL = re.compile(r"(data)?(loaders?|sets?|dirs?|paths?|folders?|iter|transforms?|tfms?|dl|ds)$")
_TRAINING = frozenset({"train", "training", "trn", "fit"})
_EVALUATION = frozenset(
    {"test", "testing", "val", "valid", "validation", "validate", "eval", "evaluation", "evaluate"}
    | {"dev", "predict", "prediction", "inference", "infer"}
)
_SPLITS = ("split", "subset", "image_set", "mode", "phase")


def words_of(text: str) -> Iterator[str]:
    """Yield the words of a name in lower case: ``val``, ``data``, ``loader`` of ``valDataLoader``."""
    for match in _WORD.finditer(text):
        yield match.group().lower()


class Purpose(StrEnum):
    """What data is for."""

    TRAINING = "training"
    EVALUATION = "evaluation"
    BOTH = "both"

    @classmethod
    def of(cls, name: str | None) -> Purpose | None:
        """Return what a name says its object is for; None if it says nothing."""
        found = set()
        for word in words_of(name or ""):
            stem = _TAIL.sub("", word)
            if stem in _TRAINING:
                found.add(cls.TRAINING)
            elif stem in _EVALUATION:
                found.add(cls.EVALUATION)
            elif stem in {"trainval", "traintest"}:
                found.add(cls.BOTH)
        return None if not found else found.pop() if len(found) == 1 else cls.BOTH


def labels(expr: Expr) -> tuple[str, ...]:
    """Return the names under which a value is kept: the key of a dict, a variable, the function.

    From the inside out; a value that goes into a call, or into arithmetic, is not kept as it is.
    """
    statement = expr.site.statement
    found: list[str] = []
    if isinstance(statement, ast.Assign | ast.AnnAssign) and statement.value is not None:
        way = _way_in(statement.value, expr.node)
        targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
        parts = (_part_for(target, statement.value, expr.node) for target in targets)
        found += [] if way is None else [*way, *(ast.unparse(part) for part in parts)]
    elif isinstance(statement, ast.Return) and statement.value is not None:
        way = _way_in(statement.value, expr.node)
        function = expr.function
        found += [] if way is None else [*way, "" if function is None else function.name]
    return tuple(label for label in found if label)


def purpose_of_data(call: Call) -> Purpose | None:
    """Return what a data set that a call makes is for: by ``train=``, by ``split=``, by its names."""
    train = call.keywords.get("train")
    if train is not None:
        value = train.truth()
        return None if value is None else Purpose.TRAINING if value else Purpose.EVALUATION
    for name in _SPLITS:
        split = call.keywords.get(name)
        if split is not None:
            return Purpose.of(split.string())
    names = [*labels(call), *(argument.name or "" for argument in call.args[:1])]
    return next((one for one in map(Purpose.of, names) if one is not None), None)


def _way_in(root: ast.expr, node: ast.AST) -> list[str] | None:
    """Return the keys of the dicts on the way from an expression to a part that it holds as it is."""
    if root is node:
        return []
    for key, part in _held(root):
        way = _way_in(part, node)
        if way is not None:
            return way if key is None else [*way, key]
    return None


def _part_for(target: ast.expr, value: ast.expr, node: ast.AST) -> ast.expr:
    """Return what of a target takes the part of a value that a node stands in: ``a`` of ``a, b``."""
    sequence = ast.Tuple | ast.List
    while isinstance(target, sequence) and isinstance(value, sequence):
        starred = any(isinstance(one, ast.Starred) for one in (*target.elts, *value.elts))
        if starred or len(target.elts) != len(value.elts):
            break
        pairs = zip(target.elts, value.elts, strict=True)
        found = next((pair for pair in pairs if _way_in(pair[1], node) is not None), None)
        if found is None:
            break
        target, value = found
    return target


def _held(root: ast.expr) -> Iterator[tuple[str | None, ast.expr]]:
    """Yield what an expression holds as it is, each with its key if that is a known word."""
    if isinstance(root, ast.Dict):
        for key, value in zip(root.keys, root.values, strict=True):
            word = key.value if isinstance(key, ast.Constant) else None
            yield word if isinstance(word, str) else None, value
    elif isinstance(root, ast.Call) and getattr(root.func, "id", None) == "dict":
        yield from ((word.arg, word.value) for word in root.keywords)
    elif isinstance(root, ast.List | ast.Tuple):
        yield from ((None, item) for item in root.elts)
    elif isinstance(root, ast.IfExp):
        yield from ((None, arm) for arm in (root.body, root.orelse))
    elif isinstance(root, ast.DictComp):
        yield None, root.value
