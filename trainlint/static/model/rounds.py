"""The loops that run a call again and again, and what each of their rounds makes anew."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from trainlint.core.immutable import immutable
from trainlint.static.model.expression import Call, Expr, Loop
from trainlint.static.model.tree import Binding, BindingKind, BlockKind, ScopeKind

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trainlint.static.model.tree import Block, Scope

_MOST_DEPTH = 5


@immutable
class Round:
    """A loop that runs a call in each of its rounds, no ``if`` between the two.

    ``via`` are the calls of functions of the file that lead from the loop to the call, from the loop
    inwards; empty where the call stands in the loop itself.
    """

    call: Call
    loop: Loop
    via: tuple[Call, ...] = ()

    def may_make(self, expr: Expr) -> bool:
        """Say whether what an expression beside the call stands for may be made anew in each round."""
        return self._may_make(expr, self.via, _MOST_DEPTH)

    def _may_make(self, expr: Expr, via: tuple[Call, ...], depth: int) -> bool:
        """Answer for an expression in the function that the last call of ``via`` enters."""
        if depth == 0:
            return True
        made = (expr, *expr.objects())
        if any(isinstance(one, Call) and self.loop.runs(one) for one in made):
            return True
        roots = [part for part in expr.parts() if part.is_name]
        return any(self._may_bind(root, expr, via, depth) for root in roots)

    def _may_bind(self, root: Expr, expr: Expr, via: tuple[Call, ...], depth: int) -> bool:
        """Say whether a round may give a name in an expression another value."""
        model = root.model
        home = model.class_of_self(root.site, root.node)
        if home is not None:
            return self._may_make_attribute(expr, via, depth)
        found = model.names.lookup(root.text, root.site.scope)
        if found is None:
            return False
        scope, bindings = found
        return any(self._binds_anew(scope, one, via, depth) for one in bindings)

    def _binds_anew(
        self, scope: Scope, binding: Binding, via: tuple[Call, ...], depth: int
    ) -> bool:
        """Say whether a binding of a name may happen in each round, with another object."""
        if self.loop.block in binding.site.block.ancestors():
            return not _is_alias(binding)
        own = scope.function is self.loop.block.scope.function
        if own:
            return binding.kind is BindingKind.LOOP and binding.name in self.loop.targets
        if scope.kind is not ScopeKind.FUNCTION or not via:
            return False
        if binding.kind is BindingKind.PARAMETER:
            value = self.call.model.follower.argument_for(via[-1], binding)
            return value is not None and self._may_make(value, via[:-1], depth - 1)
        if _is_alias(binding) and binding.value is not None:
            value = self.call.model.expr(binding.value, binding.site)
            return self._may_make(value, via, depth - 1)
        return True

    def _may_make_attribute(self, expr: Expr, via: tuple[Call, ...], depth: int) -> bool:
        """Say whether a round may give an attribute of ``self`` another value, or make the instance."""
        model = expr.model
        if any(
            target.text == expr.text and self.loop.runs(target)
            for target, _ in model.assignments(expr.name or "")
        ):
            return True
        for number in reversed(range(len(via))):
            receiver, target = via[number].receiver, via[number].target
            if target is not None and target.kind is ScopeKind.CLASS:
                return True
            if receiver is not None and not model.class_of_self(receiver.site, receiver.node):
                return self._may_make(receiver, via[:number], depth - 1)
        return False


def rounds_of(call: Call) -> Iterator[Round]:
    """Yield the loops that surely run a call in each round, from the innermost, callers included."""
    yield from _around(call, call, (), frozenset())


def _around(
    call: Call, place: Call, via: tuple[Call, ...], seen: frozenset[int]
) -> Iterator[Round]:
    """Yield the loops around a place that leads to a call."""
    for block in reversed(place.blocks):
        if block.kind is BlockKind.LOOP:
            yield Round(call, Loop(call.model, block), via)
        elif block.kind is BlockKind.BRANCH and not _always_runs(block):
            return
    function = place.function
    if function is None or id(function.scope) in seen or len(via) >= _MOST_DEPTH:
        return
    seen |= {id(function.scope)}
    for caller in function.callers:
        yield from _around(call, caller, (caller, *via), seen)


def _always_runs(block: Block) -> bool:
    """Say whether a branch is one that is always entered: the body of a ``try``."""
    return isinstance(block.header, ast.Try) and block.arm == 0


def _is_alias(binding: Binding) -> bool:
    """Say whether a binding only gives an object a further name: ``model = self.model``."""
    return binding.kind is BindingKind.ASSIGN and isinstance(
        binding.value, ast.Name | ast.Attribute
    )
