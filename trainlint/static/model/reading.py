"""Who reads what a variable holds, and which dict a value is put into."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trainlint.static.model.expression import Call, Expr
    from trainlint.static.model.file import FileModel


def reads_of(model: FileModel, made: Expr) -> tuple[Expr, ...] | None:
    """Return every place of the file where the variable that is assigned a value is read.

    None where a value is not assigned to one plain variable or attribute. An attribute is read
    wherever one of its name is, of whatever object.
    """
    statement = made.site.statement
    holder = model.holder(made)
    if holder is None or (isinstance(statement, ast.Assign) and len(statement.targets) != 1):
        return None
    target, _ = holder
    if "." in target:
        return tuple(model.attributes_read(target.rpartition(".")[2]))
    bound = model.names.lookup(target, made.site.scope)
    if bound is None:
        return None
    found = []
    for read in model.names_read(target):
        seen = model.names.lookup(target, read.site.scope)
        if seen is not None and seen[0] is bound[0]:
            found.append(read)
    return tuple(found)


def entries_beside(model: FileModel, made: Call) -> Iterator[dict[str, Expr]]:
    """Yield the entries of the dicts that hold a value, or the variable that it is assigned to.

    From the inside out: Lightning's ``{"scheduler": s, "monitor": "val_loss"}`` is one.
    """
    for place in (made, *(reads_of(model, made) or ())):
        around = [
            model.expr(node, place.site)
            for node in ast.walk(place.site.statement)
            if isinstance(node, ast.Dict | ast.Call)
        ]
        for one in reversed(around):
            entries = one.entries
            if entries and any(_holds(value, place) for value in entries.values()):
                yield entries


def _holds(value: Expr, place: Expr) -> bool:
    """Say whether a value is a place itself, or a dict or list that holds it."""
    if value.node is place.node:
        return True
    inner = (value.entries or {}).values() or value.items or ()
    return any(_holds(one, place) for one in inner)
