"""Spreads of initialisations that are written by hand: ``sqrt(2 / fan_in)`` and its relatives."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from trainlint.core.immutable import immutable

if TYPE_CHECKING:
    from trainlint.static.model.expression import Expr

_ROOTS = frozenset({"math.sqrt", "numpy.sqrt", "torch.sqrt"})
_CASTS = frozenset({"builtins.float", "builtins.int", "torch.tensor", "torch.as_tensor"})
_SMALLEST_FAN = 8
_MOST_DEPTH = 12
_HALF = 0.5
_LARGEST_POWER = 8


@immutable
class RootOfFans:
    """The value sqrt(``numerator`` / fans) of an expression."""

    numerator: float
    is_sum: bool
    """Whether the fans are a sum of two, as in Glorot's formula."""
    fan: str
    """``in`` or ``out`` where the words of the expression say it, else ``?``."""


def root_of_fans(expr: Expr) -> RootOfFans | None:
    """Return the formula if an expression is the root of a number over fans, else None.

    A fan is anything that is no small number: ``fan_in``, ``weight.size(1)``, ``k * k * channels``.
    """
    monomial = _monomial(expr, 0)
    if monomial is None or not monomial.powers:
        return None
    if any(abs(power + _HALF) > 1e-9 for power in monomial.powers.values()):  # noqa: PLR2004
        return None
    words = " ".join(monomial.powers).lower()
    fan = "?"
    if ("in" in words) != ("out" in words):
        fan = "in" if "in" in words else "out"
    return RootOfFans(monomial.factor**2, monomial.is_sum, fan)


@immutable
class _Monomial:
    """A number times powers of things that are not known."""

    factor: float
    powers: dict[str, float]
    is_sum: bool = False

    def __mul__(self, other: _Monomial) -> _Monomial:
        """Multiply two."""
        powers = dict(self.powers)
        for name, power in other.powers.items():
            powers[name] = powers.get(name, 0.0) + power
        return _Monomial(self.factor * other.factor, powers, self.is_sum or other.is_sum)

    def __pow__(self, power: float) -> _Monomial | None:
        """Take a power; None where that is no real number."""
        if self.factor <= 0 or abs(power) > _LARGEST_POWER:
            return None
        powers = {name: one * power for name, one in self.powers.items()}
        return _Monomial(self.factor**power, powers, self.is_sum)


def _monomial(expr: Expr, depth: int) -> _Monomial | None:
    """Take an expression apart into a number and powers of unknowns."""
    if depth > _MOST_DEPTH:
        return None
    node = expr.node
    if isinstance(node, ast.BinOp):
        return _arithmetic(expr, node, depth)
    if isinstance(node, ast.Call) and node.args:
        callee, argument = expr.child(node.func).qualified, expr.child(node.args[0])
        if callee in _ROOTS:
            inner = _monomial(argument, depth + 1)
            return None if inner is None else inner**_HALF
        if callee in _CASTS:
            return _monomial(argument, depth + 1)
    if isinstance(node, ast.Name | ast.Attribute):
        origins = expr.origins()
        if len(origins) == 1 and isinstance(origins[0].node, ast.BinOp | ast.Call):
            return _monomial(origins[0], depth + 1)
    number = expr.number()
    if number is None or (isinstance(number, int) and number >= _SMALLEST_FAN):
        return _Monomial(1.0, {expr.text: 1.0})
    return _Monomial(float(number), {})


def _arithmetic(expr: Expr, node: ast.BinOp, depth: int) -> _Monomial | None:
    """Take an arithmetic expression apart."""
    first, second = expr.operands
    if isinstance(node.op, ast.Pow):
        base, power = _monomial(first, depth + 1), second.number()
        return None if base is None or power is None else base**power
    if isinstance(node.op, ast.Mult | ast.Div | ast.FloorDiv):
        left, right = _monomial(first, depth + 1), _monomial(second, depth + 1)
        if left is None or right is None:
            return None
        if isinstance(node.op, ast.Mult):
            return left * right
        inverse = right**-1
        return None if inverse is None else left * inverse
    if isinstance(node.op, ast.Add):
        sides = [_monomial(side, depth + 1) for side in expr.operands]
        fans = all(side is not None and side.powers for side in sides)
        return _Monomial(1.0, {expr.text: 1.0}, is_sum=fans)
    number = expr.number()
    return _Monomial(1.0, {expr.text: 1.0}) if number is None else _Monomial(float(number), {})
