"""Literal values, followed through names, arithmetic and defaults; unknown is never guessed."""

from __future__ import annotations

import ast
import math
import operator
from typing import TYPE_CHECKING

from trainlint.static.model.expression import UNKNOWN, Call, Expr

if TYPE_CHECKING:
    from collections.abc import Callable

    from trainlint.static.model.file import FileModel

_MOST_DEPTH = 40
_LARGEST_BASE = 1e9
_LARGEST_POWER = 64

_BINARY: dict[type[ast.operator], Callable[[float, float], float]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
}

_FUNCTIONS: dict[str, Callable[[float], float]] = {
    "builtins.float": float,
    "builtins.int": int,
    "builtins.abs": abs,
    "math.sqrt": math.sqrt,
    "numpy.sqrt": math.sqrt,
    "math.log": math.log,
    "numpy.log": math.log,
    "math.exp": math.exp,
    "math.floor": math.floor,
    "math.ceil": math.ceil,
}

_CONSTANTS = {
    "math.pi": math.pi,
    "numpy.pi": math.pi,
    "math.inf": math.inf,
    "numpy.inf": math.inf,
    "math.e": math.e,
}


class Evaluator:
    """Computes the values of expressions of one file, as far as the file says them."""

    def __init__(self, model: FileModel) -> None:
        self.model = model
        self._values: dict[int, object] = {}
        self._lengths: dict[int, int | None] = {}
        self._depth = 0

    def value(self, expr: Expr) -> object:
        """Return the value of an expression if every way to it agrees, else ``UNKNOWN``."""
        key = id(expr.node)
        if key in self._values:
            return self._values[key]
        if self._depth > _MOST_DEPTH:
            return UNKNOWN
        self._values[key] = UNKNOWN
        self._depth += 1
        try:
            result: object = UNKNOWN
            for number, origin in enumerate(expr.origins()):
                value = self._made(origin)
                if value is UNKNOWN or (number and not _equal(value, result)):
                    result = UNKNOWN
                    break
                result = value
        finally:
            self._depth -= 1
        self._values[key] = result
        return result

    def _made(self, expr: Expr) -> object:
        """Compute an expression that is no name."""
        node = expr.node
        if isinstance(node, ast.Constant):
            return node.value
        if isinstance(node, ast.UnaryOp):
            return self._unary(expr.child(node.operand).literal(), node.op)
        if isinstance(node, ast.BinOp):
            return self._binary(expr, node)
        if isinstance(node, ast.Tuple | ast.List):
            if any(isinstance(item, ast.Starred) for item in node.elts):
                return UNKNOWN
            if isinstance(node, ast.List) and self.model.layers.additions(expr):
                return UNKNOWN
            items = [expr.child(item).literal() for item in node.elts]
            return UNKNOWN if any(item is UNKNOWN for item in items) else tuple(items)
        if isinstance(expr, Call):
            return self._called(expr)
        if isinstance(node, ast.Attribute | ast.Name) and expr.qualified in _CONSTANTS:
            return _CONSTANTS[expr.qualified]
        return UNKNOWN

    def _unary(self, value: object, operation: ast.unaryop) -> object:
        """Apply a sign or ``not``."""
        if value is UNKNOWN:
            return UNKNOWN
        if isinstance(operation, ast.Not):
            return not value
        if not isinstance(value, int | float):
            return UNKNOWN
        return -value if isinstance(operation, ast.USub) else value

    def _binary(self, expr: Expr, node: ast.BinOp) -> object:
        """Compute arithmetic on numbers; nothing that could grow without bound."""
        left, right = (side.literal() for side in expr.operands)
        if not isinstance(left, int | float) or not isinstance(right, int | float):
            return UNKNOWN
        if abs(left) > _LARGEST_BASE or abs(right) > _LARGEST_BASE:
            return UNKNOWN
        try:
            if isinstance(node.op, ast.Pow):
                if abs(right) > _LARGEST_POWER:
                    return UNKNOWN
                power = left**right
                return UNKNOWN if isinstance(power, complex) else power
            function = _BINARY.get(type(node.op))
            return UNKNOWN if function is None else function(left, right)
        except (ArithmeticError, ValueError):
            return UNKNOWN

    def _called(self, call: Call) -> object:
        """Compute a call of a function of numbers."""
        function = _FUNCTIONS.get(call.callee or "")
        if function is not None and len(call.args) == 1 and not call.is_open:
            value = call.args[0].literal()
            try:
                if isinstance(value, int | float):
                    return function(value)
                if isinstance(value, str) and call.callee in {"builtins.float", "builtins.int"}:
                    return function(float(value))
            except (ArithmeticError, ValueError):
                return UNKNOWN
        if call.callee == "builtins.len" and len(call.args) == 1:
            length = self.length(call.args[0])
            return UNKNOWN if length is None else length
        if call.callee in {"builtins.max", "builtins.min"} and call.args and not call.is_open:
            values = [argument.literal() for argument in call.args]
            numbers = [value for value in values if isinstance(value, int | float)]
            if len(numbers) == len(values) > 1:
                return max(numbers) if call.callee.endswith("max") else min(numbers)
        return UNKNOWN

    def length(self, expr: Expr) -> int | None:
        """Return how many items an expression iterates over, if the file says it."""
        key = id(expr.node)
        if key not in self._lengths:
            self._lengths[key] = None
            lengths = {self._length(origin) for origin in expr.origins()}
            self._lengths[key] = lengths.pop() if len(lengths) == 1 else None
        return self._lengths[key]

    def _length(self, expr: Expr) -> int | None:
        """Return the number of items of a literal, a range, or what counts one through."""
        if expr.items is not None:
            grows = isinstance(expr.node, ast.List) and self.model.layers.additions(expr)
            return None if grows else len(expr.items)
        if isinstance(expr.node, ast.Dict):
            return len(expr.node.keys) if None not in expr.node.keys else None
        if isinstance(expr.node, ast.Subscript) and isinstance(expr.node.slice, ast.Slice):
            return self._slice_length(expr, expr.node.slice)
        if not isinstance(expr, Call) or not expr.args or expr.is_open:
            return None
        if expr.callee == "builtins.range":
            bounds = [argument.number() for argument in expr.args]
            if any(not isinstance(bound, int) for bound in bounds) or 0 in bounds[2:]:
                return None
            return len(range(*[int(bound or 0) for bound in bounds]))
        if expr.callee == "builtins.zip":
            lengths = [self.length(argument) for argument in expr.args]
            known = [length for length in lengths if length is not None]
            return min(known) if len(known) == len(lengths) else None
        wrappers = {"builtins.enumerate", "builtins.reversed", "builtins.list", "builtins.tuple"}
        if expr.callee in wrappers or expr.method in {"tqdm", "trange", "track"}:
            if expr.method == "trange":
                count = expr.args[0].number()
                return int(count) if count is not None and len(expr.args) == 1 else None
            return self.length(expr.args[0])
        return None

    def _slice_length(self, expr: Expr, cut: ast.Slice) -> int | None:
        """Return the number of items that a slice with known bounds keeps."""
        owner = expr.owner
        total = None if owner is None else self.length(owner)
        if total is None:
            return None
        bounds: list[int | None] = []
        for bound in (cut.lower, cut.upper, cut.step):
            value = None if bound is None else expr.child(bound).number()
            if bound is not None and not isinstance(value, int):
                return None
            bounds.append(None if value is None else int(value))
        return None if bounds[2] == 0 else len(range(total)[slice(*bounds)])

    def is_constant(self, expr: Expr, depth: int = 12) -> bool:
        """Say whether a number is the same whoever runs the code; see :attr:`Expr.is_constant`."""
        node = expr.node
        if isinstance(node, ast.Constant):
            return True
        if depth == 0:
            return False
        if isinstance(node, ast.UnaryOp):
            return self.is_constant(expr.child(node.operand), depth - 1)
        if isinstance(node, ast.BinOp):
            return all(self.is_constant(side, depth - 1) for side in expr.operands)
        if isinstance(node, ast.Tuple):
            return all(self.is_constant(expr.child(item), depth - 1) for item in node.elts)
        if isinstance(expr, Call):
            known = expr.callee in _FUNCTIONS or expr.callee in {"builtins.max", "builtins.min"}
            return known and all(self.is_constant(one, depth - 1) for one in expr.args)
        if not isinstance(node, ast.Name | ast.Attribute):
            return False
        values = self.model.follower.constants(expr)
        return bool(values) and all(self.is_constant(value, depth - 1) for value in values)


def _equal(one: object, other: object) -> bool:
    """Compare values so that True and 1 differ."""
    return type(one) is type(other) and one == other
