"""Values that are kept in a variable or attribute, and where they are used."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from trainlint.core.immutable import immutable
from trainlint.static.model.events import leaves_loop
from trainlint.static.model.tree import Block, BlockKind

if TYPE_CHECKING:
    from trainlint.static.model.expression import Expr
    from trainlint.static.model.file import FileModel


_ORDERS = (ast.Lt, ast.LtE, ast.Gt, ast.GtE)
_BETTER = ("best", "better", "improve")


@immutable
class Kept:
    """A value that a statement assigns to a name or attribute."""

    made: Expr
    target: str
    uses: tuple[Expr, ...]
    """Where the name or attribute is read."""

    @property
    def name(self) -> str:
        """The last part of the name."""
        return self.target.rpartition(".")[2]

    @property
    def quoted(self) -> str:
        """The name in backticks."""
        return f"`{self.target}`"

    @property
    def is_attribute(self) -> bool:
        """Whether it is an attribute, which may be read from other files."""
        return "." in self.target

    @property
    def in_loop(self) -> bool:
        """Whether it is kept in a loop."""
        return bool(self.made.loops)

    @property
    def _branches(self) -> list[Block]:
        """The branches around it, from the innermost, up to the loop."""
        found: list[Block] = []
        for block in reversed(self.made.blocks):
            if block.kind is BlockKind.LOOP:
                break
            if block.kind is BlockKind.BRANCH:
                found.append(block)
        return found

    @property
    def conditional(self) -> bool:
        """Whether an ``if`` in the loop decides about it."""
        return bool(self._branches)

    @property
    def as_better(self) -> bool:
        """Whether an ``if`` around it asks for something better: ``if loss < best_loss``."""
        tests = [getattr(block.header, "test", None) for block in self._branches]
        return any(_asks_for_better(test) for test in tests if test is not None)

    @property
    def leaves(self) -> bool:
        """Whether the loop or function is left right after it."""
        return any(leaves_loop(block) for block in self._branches)

    @property
    def in_constructor(self) -> bool:
        """Whether it is kept in an ``__init__``."""
        function = self.made.function
        return function is not None and function.name == "__init__"

    @property
    def here(self) -> tuple[Expr, ...]:
        """The uses in the block in which it is kept: at once."""
        block = self.made.site.block
        return tuple(use for use in self.uses if block in use.site.block.ancestors())

    @property
    def later(self) -> tuple[Expr, ...]:
        """The uses elsewhere: after other code has run."""
        here = set(self.here)
        return tuple(
            use
            for use in self.uses
            if use not in here and (self.is_attribute or use.order > self.made.order)
        )


def _asks_for_better(test: ast.expr) -> bool:
    """Say whether a test compares by order, or speaks of what is better."""
    for node in ast.walk(test):
        if isinstance(node, ast.Compare) and isinstance(node.ops[0], _ORDERS):
            return True
        word = getattr(node, "id", None) or getattr(node, "attr", None) or ""
        if any(better in word.lower() for better in _BETTER):
            return True
    return False


def kept(model: FileModel, made: Expr) -> Kept | None:
    """Return the variable or attribute of ``self`` in which a value is kept; None if in none."""
    holder = model.holder(made)
    if holder is None:
        return None
    target, scope = holder
    last = target.rpartition(".")[2]
    if "." in target:
        if not target.startswith("self."):
            return None
        home = made.site.scope.function.parent
        reads = [
            one
            for one in model.attributes_read(last)
            if one.text == target and one.site.scope.function.parent is home
        ]
    else:
        reads = [
            one
            for one in model.names_read(target)
            if one.site.scope.function in {scope, *scope.children}
        ]
    return Kept(made, target, tuple(reads))
