"""Whether two expressions are one object, and to whom an object is handed on."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from trainlint.static.model.expression import Call, Expr
from trainlint.static.model.tree import BindingKind, ScopeKind

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trainlint.static.model.file import FileModel

    Place = tuple[object, ...]

_TAKES_NO_PART = ("torch.", "builtins.", "numpy.", "wandb.", "logging.", "copy.")
"""Functions of these packages neither change the mode of a model nor clear its gradients."""


class Identities:
    """Answers for one file which expressions stand for the same object."""

    def __init__(self, model: FileModel) -> None:
        self.model = model
        self._known: dict[int, frozenset[Place]] = {}

    def of(self, expr: Expr) -> frozenset[Place]:
        """Return the objects that an expression may be: constructions, or names that lead no further."""
        key = id(expr.node)
        if key not in self._known:
            self._known[key] = frozenset(self._place(origin) for origin in expr.objects())
        return self._known[key]

    def same(self, one: Expr, other: Expr) -> bool:
        """Say whether two expressions are surely the same object."""
        return self.of(one) == self.of(other)

    def may_be_same(self, one: Expr, other: Expr) -> bool:
        """Say whether two expressions may be the same object, or one of them part of the other."""
        mine, others = self.of(one), self.of(other)
        if mine & others or _is_part(one.text, other.text) or _is_part(other.text, one.text):
            return True
        return not all(_differ(a, b) for a in mine for b in others)

    def keeps(self, whole: Expr, part: Expr) -> bool:
        """Say whether a module was surely made with another and keeps it: ``Classifier(encoder)``."""
        return all(
            isinstance(made, Call) and any(self.same(one, part) for one in _kept_by(made))
            for made in whole.objects()
        )

    def _place(self, origin: Expr) -> Place:
        """Return what tells an origin from all others."""
        if isinstance(origin, Call):
            return ("made", id(origin.node))
        root, path = origin, []
        while root.owner is not None:
            path.append(root.name or root.text.removeprefix(root.owner.text))
            root = root.owner
        home = self.model.class_of_self(root.site, root.node)
        if home is not None:
            return ("self", id(self.model.lineage(home)[-1]), *path[::-1])
        if root.is_name:
            found = self.model.names.lookup(root.text, root.site.scope)
            return ("name", id(found[0]) if found else None, root.text, *path[::-1])
        return ("value", id(root.node), *path[::-1])

    def handed_on(self, expr: Expr) -> Iterator[Call]:
        """Yield the calls of functions outside of the file that get an object as an argument.

        What those do to it is not known. Functions of torch, the builtins and loggers are left out,
        and so are the events of a loop (``scaler.step(optimizer)``).
        """
        wanted = self.of(expr)
        for entries in self.model.index.calls.values():
            for node, site in entries:
                if not node.args and not node.keywords:
                    continue
                call = self.model.call(node, site)
                target = call.target
                if target is not None and target.index is self.model.index:
                    continue
                if (call.callee or "").startswith(_TAKES_NO_PART):
                    continue
                given = any(self.of(argument) & wanted for argument in _given(call))
                if given and self.model.events.classify(call) is None:
                    yield call


def _kept_by(made: Call) -> Iterator[Expr]:
    """Yield what a container is made of, or what a class of the project puts into an attribute."""
    if made.callee == "torch.nn.Sequential":
        yield from made.args
    target = made.target
    if target is None or target.kind is not ScopeKind.CLASS:
        return
    model = target.index.model
    init = model.method_scope(target, "__init__")
    names = {
        binding.value.id
        for scope in model.lineage(target)
        for bindings in scope.attributes.values()
        for binding in bindings
        if isinstance(binding.value, ast.Name) and binding.site.scope.function is init
    }
    for name in sorted(names):
        bindings = [] if init is None else init.bindings.get(name, [])
        if len(bindings) == 1 and bindings[0].kind is BindingKind.PARAMETER:
            given = model.follower.argument_for(made, bindings[0])
            yield from () if given is None else (given,)


def _given(call: Call) -> Iterator[Expr]:
    """Yield the plain names and attributes among the arguments of a call, those in lists included."""
    for argument in (*call.args, *call.keywords.values()):
        for part in argument.items or (argument.entries or {"": argument}).values():
            if part.is_name or part.is_attribute:
                yield part


def _is_part(text: str, whole: str) -> bool:
    """Say whether one dotted name continues another."""
    return whole.startswith(text + ".")


def _differ(one: Place, other: Place) -> bool:
    """Say whether two objects that are not the same place are surely two.

    Two constructions are. So are two names of one scope: nobody calls one optimizer by two.
    """
    if one[0] == other[0] == "made":
        return True
    return one[0] == other[0] and one[0] in {"self", "name"} and one[1] == other[1]
