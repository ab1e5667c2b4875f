"""Values that are added up: running totals and growing lists."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from trainlint.core.immutable import immutable
from trainlint.static.model.tree import Binding, BindingKind

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trainlint.core.diagnosis import Span
    from trainlint.static.model.expression import Expr, Loop
    from trainlint.static.model.file import FileModel


@immutable
class Accumulation:
    """One place where something is added to a total or appended to a list.

    ``into`` is the total or list, ``added`` the value: ``total += added``, ``total = total + added``,
    ``losses.append(added)``.
    """

    into: Expr
    added: Expr
    is_list: bool = False

    @property
    def path(self) -> str:
        """The file, as the user named it."""
        return self.added.path

    @property
    def span(self) -> Span:
        """The statement."""
        return self.added.statement.span

    def restarts_in(self, loop: Loop) -> bool:
        """Say whether the total is set to something new, or emptied, inside of a loop."""
        model = self.added.model
        root = self.into
        while root.owner is not None and root.owner.name != "self":
            root = root.owner
        for binding in _bindings(model, root):
            inside = loop.block in binding.site.block.ancestors()
            if (
                inside
                and binding.kind is BindingKind.ASSIGN
                and not _reads(binding.value, root.text)
            ):
                return True
        return any(
            loop in call.loops and call.receiver is not None and call.receiver.same_as(self.into)
            for call in model.method_calls("clear", "pop", "popleft")
        )


def accumulations(model: FileModel) -> Iterator[Accumulation]:
    """Yield every place of a file where a value is added to a total or to a list."""
    for scope in (model.index.root, *model.index.functions.values()):
        for bindings in scope.bindings.values():
            yield from _totals(model, bindings)
    for stored in model.index.stores.values():
        yield from _totals(model, [binding for _, binding in stored])
    for call in model.method_calls("append"):
        if call.receiver is not None and len(call.args) == 1:
            yield Accumulation(call.receiver, call.args[0], is_list=True)


def _totals(model: FileModel, bindings: list[Binding]) -> Iterator[Accumulation]:
    """Yield the additions among some bindings."""
    for binding in bindings:
        if binding.value is None or binding.node is None or binding.path:
            continue
        into = model.expr(binding.node, binding.site)
        value = model.expr(binding.value, binding.site)
        if binding.kind is BindingKind.AUGMENT:
            if isinstance(getattr(binding.site.statement, "op", None), ast.Add):
                yield Accumulation(into, value)
        elif binding.kind is BindingKind.ASSIGN and value.operator == "Add":
            left, right = value.operands
            if left.same_as(into):
                yield Accumulation(into, right)
            elif right.same_as(into):
                yield Accumulation(into, left)


def _bindings(model: FileModel, root: Expr) -> list[Binding]:
    """Return the bindings of a name, or of an attribute of ``self``."""
    if root.is_name:
        found = model.names.lookup(root.text, root.site.scope)
        return [] if found is None else found[1]
    return [
        binding
        for target, binding in model.index.stores.get(root.name or "", ())
        if model.expr(target, binding.site).same_as(root)
    ]


def _reads(value: ast.expr | None, text: str) -> bool:
    """Say whether a value is computed from the total itself."""
    return value is not None and any(
        isinstance(node, ast.Name | ast.Attribute) and ast.unparse(node) == text
        for node in ast.walk(value)
    )
