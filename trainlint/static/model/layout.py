"""Edits of lines: taking statements out of the block in which they stand."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from trainlint.core.fix import Edit
    from trainlint.static.model.expression import Expr

_SIMPLE = (ast.Expr, ast.Assign, ast.AugAssign, ast.AnnAssign, ast.Pass)


def taken_out_of_with(expr: Expr) -> tuple[Edit, ...]:
    """Return the edits that move a statement, and all behind it, out of the ``with`` around it.

    None where it is the first of the block, where the ``with`` names several contexts, or where
    something behind it is more than a simple statement.
    """
    header, source = expr.site.block.header, expr.model.source
    if not isinstance(header, ast.With) or len(header.items) != 1:
        return ()
    if expr.site.statement not in header.body[1:]:
        return ()
    rest = header.body[header.body.index(expr.site.statement) :]
    if not all(isinstance(one, _SIMPLE) and not _has_long_text(one) for one in rest):
        return ()
    first, last = rest[0].lineno, rest[-1].end_lineno or rest[-1].lineno
    outer = source.lines[header.lineno - 1][: header.col_offset]
    inner = source.lines[first - 1][: rest[0].col_offset]
    if (outer + inner).strip() or not inner.startswith(outer):
        return ()
    if header.body[header.body.index(rest[0]) - 1].end_lineno == first:
        return ()
    lines = source.lines[first - 1 : last]
    if not all(line.startswith(inner) for line in lines if line.strip()):
        return ()
    start = source.line_starts[first - 1]
    text = source.text[start : source.line_starts[last - 1] + len(source.lines[last - 1])]
    moved = "".join(
        line if not line.strip() else outer + line[len(inner) :]
        for line in text.splitlines(keepends=True)
    )
    # Up to the first character of the next line, so that no other edit puts a line in between.
    after = source.text[start + len(text) : start + len(text) + 2]
    return (expr.model.edit(start, start + len(text) + len(after), moved + after),)


def _has_long_text(statement: ast.stmt) -> bool:
    """Say whether a string in a statement goes over several lines, whose indentation is part of it."""
    return any(
        isinstance(node, ast.Constant | ast.JoinedStr) and node.end_lineno != node.lineno
        for node in ast.walk(statement)
    )
