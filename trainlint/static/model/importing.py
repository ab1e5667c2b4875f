"""Under which name something is imported, and the edits that import it from elsewhere."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from trainlint.static.model.expression import Call, Expr
from trainlint.static.model.tree import Binding, BindingKind

if TYPE_CHECKING:
    from trainlint.core.fix import Edit
    from trainlint.static.model.file import FileModel


def imported_name(model: FileModel, expr: Expr) -> str | None:
    """Return the name of something as the import and the code spell it, which may be an old one.

    :attr:`Expr.qualified` gives one spelling to what has several.
    """
    found = _root(model, expr)
    return None if found is None else found[1]


def import_of(model: FileModel, expr: Expr) -> Expr | None:
    """Return the import that a name leads to, as a statement."""
    found = _root(model, expr)
    return None if found is None else Expr(model, found[0].site.statement, found[0].site)


def moved_package(
    model: FileModel, called: Expr, old: str, new: str, known: frozenset[Call]
) -> tuple[Edit, ...] | None:
    """Return the edits by which a call takes its function from another package; None if none do.

    Written out (``torch.cuda.amp.autocast()``) it is the name itself, else the import: then all
    reads of what it brings must be among the calls ``known``, and those must be edited too.
    """
    found = _root(model, called)
    if found is None:
        return None
    binding = found[0]
    imported = binding.imported or ""
    if not f"{imported}.".startswith(f"{old}."):
        text = called.source_text
        rest = old.removeprefix(f"{imported}.")
        if f".{rest}." not in text:
            return None
        return (
            called.replaced_by(text.replace(f".{rest}.", f".{new.removeprefix(f'{imported}.')}.")),
        )
    statement = binding.site.statement
    if not isinstance(statement, ast.Import | ast.ImportFrom) or not _only(model, statement, known):
        return None
    package = imported if isinstance(statement, ast.Import) else imported.rpartition(".")[0]
    if package == old:
        target = new
    elif imported == old:
        # Of `from torch.cuda import amp` it is the package around it that changes.
        target = new.rpartition(".")[0]
    else:
        return None
    start = model.source.offset(statement.lineno, statement.col_offset)
    place = model.source.segment(statement).find(package)
    if place < 0:
        return None
    return (model.edit(start + place, start + place + len(package), target),)


def _root(model: FileModel, expr: Expr) -> tuple[Binding, str] | None:
    """Return the import at the start of a dotted name, and the whole name by it."""
    path: list[str] = []
    while expr.owner is not None and expr.is_attribute:
        path.append(expr.name or "")
        expr = expr.owner
    if not isinstance(expr.node, ast.Name):
        return None
    bindings = model.names.bindings(expr.node.id, expr.site.scope) or []
    if len(bindings) != 1 or bindings[0].kind is not BindingKind.IMPORT:
        return None
    return bindings[0], ".".join([bindings[0].imported or "", *path[::-1]])


def _only(model: FileModel, statement: ast.Import | ast.ImportFrom, known: frozenset[Call]) -> bool:
    """Say whether all that an import brings is read by known calls alone."""
    if isinstance(statement, ast.Import) and (
        len(statement.names) != 1 or not statement.names[0].asname
    ):
        return False
    called = {id(part.node) for call in known for part in call.called.parts()}
    for alias in statement.names:
        name = alias.asname or alias.name
        reads = list(model.names_read(name))
        if not reads or not all(id(read.node) in called for read in reads):
            return False
    return True
