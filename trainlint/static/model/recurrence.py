"""Recurrences: what a loop computes in one round and starts from in the next."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from trainlint.static.model.expression import Call, Expr, Loop
from trainlint.static.model.tree import BindingKind

if TYPE_CHECKING:
    from trainlint.static.model.file import FileModel
    from trainlint.static.model.layers import Layer

_ASSIGNED = {BindingKind.ASSIGN, BindingKind.AUGMENT}


def is_recurrence(model: FileModel, loop: Loop) -> bool:
    """Say whether a loop goes over the steps of a sequence: by a recurrent cell in it, or its range.

    A range known for one is as long as a tensor; a loop over layers is none.
    """
    for call in loop.calls:
        layer = model.layer_of(call.called)
        if layer is not None and layer.is_recurrent and layer.kind.endswith("Cell"):
            return True
    iterable = loop.iterable
    if not isinstance(iterable, Call):
        return False
    if iterable.callee == "builtins.range":
        return any(_is_length(origin) for bound in iterable.args for origin in bound.origins())
    return iterable.method == "unbind"


def fed_back(layer: Layer) -> Call | None:
    """Return where a loop over the steps of a sequence feeds the output of a layer back to it."""
    model = layer.call.model
    kept = model.kept(layer.call)
    for use in () if kept is None else kept.uses:
        function = use.function if use.loops and not use.without_gradient else None
        for call in () if function is None else function.calls:
            if call.called == use and any(
                is_recurrence(model, loop) and feeds_back(model, loop, call) for loop in use.loops
            ):
                return call
    return None


def feeds_back(model: FileModel, loop: Loop, call: Call) -> bool:
    """Say whether the result of a call becomes, a round later, part of what the call is given."""
    assigned = _assigned_in(model, loop)
    made_from = {
        name: set().union(*(_names_in(value) for value in values))
        for name, values in assigned.items()
    }
    given: set[str] = set().union(
        *(_names_in(one) for one in (*call.args, *call.keywords.values()))
    )
    sources = _closure(given, made_from)
    takers = {
        name for name, values in assigned.items() if any(call in one.parts() for one in values)
    }
    return any(
        name in sources and _is_carried(model, loop, name, assigned[name])
        for name in assigned
        if takers & _closure({name}, made_from)
    )


def _is_length(expr: Expr) -> bool:
    """Say whether a number is, or is computed from, the length of a tensor."""
    for part in expr.parts():
        if part.is_attribute and part.name == "shape":
            return True
        if isinstance(part, Call) and part.method == "size" and part.callee is None:
            return True
    return False


def _assigned_in(model: FileModel, loop: Loop) -> dict[str, list[Expr]]:
    """Return the variables that the body of a loop assigns, with the values."""
    found: dict[str, list[Expr]] = {}
    for name, bindings in loop.block.scope.bindings.items():
        for binding in bindings:
            inside = loop.block in binding.site.block.ancestors()
            if inside and binding.kind in _ASSIGNED and binding.value is not None:
                found.setdefault(name, []).append(model.expr(binding.value, binding.site))
    return found


def _is_carried(model: FileModel, loop: Loop, name: str, values: list[Expr]) -> bool:
    """Say whether a round reads a variable before it assigns it: its value is that of the last."""
    first = min(value.site.index for value in values)
    return any(
        read.site.index <= first and loop.block in read.site.block.ancestors()
        for read in model.names_read(name)
        if read.site.scope.function is loop.block.scope.function
    )


def _closure(names: set[str], made_from: dict[str, set[str]]) -> set[str]:
    """Return names together with all those that their values in the loop are made from."""
    found: set[str] = set()
    queue = list(names)
    while queue:
        name = queue.pop()
        if name not in found:
            found.add(name)
            queue += made_from.get(name, ())
    return found


def _names_in(expr: Expr) -> set[str]:
    """Return the plain names in an expression."""
    return {node.id for node in ast.walk(expr.node) if isinstance(node, ast.Name)}
