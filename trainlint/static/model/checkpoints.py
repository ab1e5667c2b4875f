"""Checkpoints: the dicts that are saved, entry by entry, and where a run resumes from one."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from trainlint.core.immutable import immutable
from trainlint.static.model.expression import Call, Expr

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trainlint.core.diagnosis import Span
    from trainlint.static.model.file import FileModel


@immutable
class Checkpoint:
    """A dict that ``torch.save`` writes, all of whose keys are known."""

    save: Call
    made: Expr
    """The dict."""
    entries: dict[str, Expr]

    @property
    def path(self) -> str:
        """The file, as the user named it."""
        return self.made.path

    @property
    def span(self) -> Span:
        """The dict."""
        return self.made.span

    def states(self, *roles: str) -> tuple[Expr, ...]:
        """Return the entries that are the ``state_dict()`` of something in one of these roles."""
        model = self.save.model
        return tuple(
            value
            for value in self.entries.values()
            for state in value.origins()
            if isinstance(state, Call) and state.method == "state_dict"
            if state.receiver is not None and model.role_of(state.receiver) in roles
        )


def checkpoints(model: FileModel) -> Iterator[Checkpoint]:
    """Yield every dict that the file saves, where nothing adds to it unseen."""
    told: set[Expr] = set()
    for save in model.calls_to("torch.save"):
        given = save.argument(0, "obj")
        for made in () if given is None else given.origins():
            entries = made.entries
            if entries is None or made in told or may_grow(made):
                continue
            told.add(made)
            yield Checkpoint(save, made, entries)


def resumed(model: FileModel, key: str) -> Iterator[Expr]:
    """Yield where an entry of a loaded checkpoint is put into a variable.

    A call of the function of the file that returns it, alone or in arithmetic, stands for it.
    """
    for node, site in model.index.items.get(key, ()):
        read = model.expr(node, site)
        statement = site.statement
        if not isinstance(statement, ast.Assign | ast.Return) or read.owner is None:
            continue
        objects = read.owner.objects()
        if not any(isinstance(one, Call) and one.callee == "torch.load" for one in objects):
            continue
        if isinstance(statement, ast.Assign):
            yield read
        elif read.function is not None and _is_number_of(statement.value, node):
            yield from (
                call
                for call in read.function.callers
                if isinstance(call.site.statement, ast.Assign)
                and call.site.statement.value is call.node
            )


def _is_number_of(value: ast.expr | None, node: ast.AST) -> bool:
    """Say whether a value is an entry as it is, or counted on: ``state["epoch"] + 1``."""
    return value is node or (isinstance(value, ast.BinOp) and node in {value.left, value.right})


def may_grow(made: Expr) -> bool:
    """Say whether a dict may have more entries than it is written with."""
    model = made.model
    node = made.node
    if isinstance(node, ast.Dict):
        literal = all(isinstance(key, ast.Constant) for key in node.keys)
    else:
        literal = isinstance(made, Call) and not made.is_open
    holder = model.holder(made)
    if not literal or holder is None:
        return not literal
    name = holder[0]
    if any(
        isinstance(target, ast.Subscript) and model.expr(target.value, binding.site).text == name
        for entries in model.index.stores.values()
        for target, binding in entries
    ):
        return True
    return any(
        call.receiver is not None and call.receiver.text == name
        for call in model.method_calls("update", "setdefault")
    )
