"""Edits of lines: taking statements out of the block in which they stand, putting lines around them."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING, Any

from trainlint.static.model.expression import records_gradient

if TYPE_CHECKING:
    from collections.abc import Collection

    from trainlint.core.fix import Edit
    from trainlint.static.model.expression import Expr
    from trainlint.static.model.tree import Block

_LINE = re.compile(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+")
_CLOSED = (ast.Expr, ast.Assign, ast.AugAssign, ast.AnnAssign, ast.For, ast.While, ast.With)
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
    # A form feed or the like ends no line of Python, whatever `splitlines` says.
    moved = "".join(
        line if not line.strip() else outer + line[len(inner) :] for line in _LINE.findall(text)
    )
    # Up to the first character of the next line, so that no other edit puts a line in between.
    after = source.text[start + len(text) : start + len(text) + 2]
    return (expr.model.edit(start, start + len(text) + len(after), moved + after),)


def put_around(
    expr: Expr, before: str, after: str | None, loops: Collection[Block]
) -> tuple[Edit, ...]:
    """Return the edits that put a line before, and one after, the evaluation that an expression is part of.

    That is its statement with those of the given loops, and of the ``with`` blocks that switch gradients
    off, that stand around it. None where it shares a line with something else, or where a ``return``
    in it would pass by the line after it.
    """
    statement: Any = expr.site.statement
    block, source = expr.site.block, expr.model.source
    while block.parent is not None and (block in loops or _switches_gradients_off(expr, block)):
        statement, block = block.header, block.parent
    if not isinstance(statement, _CLOSED) or _leaves(statement):
        return ()
    start = source.line_starts[statement.lineno - 1]
    indent = source.text[start : source.offset(statement.lineno, statement.col_offset)]
    last = statement.end_lineno or statement.lineno
    behind = source.offset(last, statement.end_col_offset or 0)
    end = source.line_starts[last] if last < len(source.line_starts) else len(source.text)
    rest = source.text[behind:end].strip()
    if indent.strip() or (rest and not rest.startswith("#")):
        return ()
    edits = (expr.model.edit(start, start, f"{indent}{before}\n"),)
    if after is None:
        return edits
    missing = "" if source.text[:end].endswith(("\n", "\r")) else "\n"
    return (*edits, expr.model.edit(end, end, f"{missing}{indent}{after}\n"))


def _switches_gradients_off(expr: Expr, block: Block) -> bool:
    """Say whether a block is the body of a ``with`` that does nothing but switch gradients off."""
    header = block.header
    if not isinstance(header, ast.With) or block.parent is None:
        return False
    contexts = [expr.model.expr(item.context_expr, expr.site) for item in header.items]
    return all(records_gradient(context) == "off" for context in contexts)


def _leaves(statement: ast.stmt) -> bool:
    """Say whether something in a statement may leave the function that it stands in."""
    leaving = (ast.Return, ast.Yield, ast.YieldFrom, ast.Raise)
    return any(isinstance(node, leaving) for node in ast.walk(statement))


def _has_long_text(statement: ast.stmt) -> bool:
    """Say whether a string in a statement goes over several lines, whose indentation is part of it."""
    return any(
        isinstance(node, ast.Constant | ast.JoinedStr) and node.end_lineno != node.lineno
        for node in ast.walk(statement)
    )
