"""What an edit must respect in the file that it edits: its path, its line ends, its comments."""

from __future__ import annotations

import ast
import re
import sys
from dataclasses import replace
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trainlint.core.fix import Edit, Fix
    from trainlint.static.source import SourceFile

_BARE: Final = re.compile(r"(?<!\r)\n")
"""The line end of a text that knows of no other."""

_LINE_END: Final = re.compile(r"\r\n|\r|\n")
_F_STRING: Final = re.compile(r"[fF][rR]?['\"]")
_NOT_IN_F_STRINGS: Final = frozenset("'\"\\#\n{}")
"""What before Python 3.12 no expression in an f-string may hold."""


def fitted(source: SourceFile, fix: Fix) -> Fix | None:
    """Return a fix as its file can bear it.

    None where it edits another file, runs over the border of a cell, loses a comment, or stands in an
    f-string which may not hold it.
    """
    if any(edit.path not in {"", source.path} for edit in fix.edits):
        return None
    if any(not source.may_replace(edit.start, edit.end) for edit in fix.edits):
        return None
    if _F_STRING.search(source.text) and _is_in_an_f_string(source, fix.edits):
        return None
    edits = fix.edits
    if "\r" in source.text:
        edits = tuple(_with_line_ends(source, edit) for edit in edits)
    if any(True for _ in _lost_comments(source, edits)):
        return None
    return fix if edits is fix.edits else replace(fix, edits=edits)


def edited_lines(source: SourceFile, fix: Fix, *, around: int) -> Iterator[int]:
    """Yield the numbers of the lines that a fix edits, and of some around them."""
    for edit in fix.edits:
        span = source.span_of_offsets(edit.start, edit.end)
        least, most = 1, len(source.lines)
        if span.cell is not None:
            least, most = span.cell.first, span.cell.last
        first, last = max(least, span.line - around), min(most, span.end_line + around)
        yield from range(first, last + 1)


def _with_line_ends(source: SourceFile, edit: Edit) -> Edit:
    """Return an edit whose new lines end as those around it do."""
    text = source.text
    if "\n" not in edit.replacement or _BARE.search(text, edit.start, edit.end):
        # What it replaces has such ends itself: they may be copied.
        return edit
    match = _LINE_END.search(text, edit.end)
    ends = [match[0]] if match else _LINE_END.findall(text)[-1:]
    return replace(edit, replacement=_BARE.sub(ends[0], edit.replacement))


def _is_in_an_f_string(source: SourceFile, edits: tuple[Edit, ...]) -> bool:
    """Say whether an edit is inside an f-string where it does not fit, or where it may be misplaced."""
    for node in ast.walk(source.tree):
        if not isinstance(node, ast.JoinedStr):
            continue
        end_line, end_column = node.end_lineno or node.lineno, node.end_col_offset or 0
        start, end = (
            source.offset(node.lineno, node.col_offset),
            source.offset(end_line, end_column),
        )
        inside = [
            edit
            for edit in edits
            if start < edit.end
            and edit.start < end
            and not (edit.start <= start and end <= edit.end)
        ]
        if not inside:
            continue
        if any(not _NOT_IN_F_STRINGS.isdisjoint(edit.replacement) for edit in inside):
            return True
        if sys.version_info < (3, 12) and not _knows_its_places(source, node):
            return True
    return False


def _knows_its_places(source: SourceFile, string: ast.JoinedStr) -> bool:
    """Say whether the expressions in an f-string stand where the parser says; before 3.12 some do not."""
    for value in string.values:
        for node in ast.walk(value) if isinstance(value, ast.FormattedValue) else ():
            if not isinstance(node, ast.expr) or isinstance(
                node, ast.FormattedValue | ast.JoinedStr
            ):
                continue
            try:
                there = ast.parse(source.segment(node).strip(), mode="eval").body
            except (SyntaxError, ValueError, IndexError):
                return False
            if ast.dump(there) != ast.dump(node):
                return False
    return True


def _lost_comments(source: SourceFile, edits: tuple[Edit, ...]) -> Iterator[str]:
    """Yield the comments that are in no replacement; one that goes with its whole line is not lost."""
    text = source.text
    for edit in edits:
        if "#" not in text[edit.start : edit.end]:
            continue
        whole = edit.start == 0 or text[edit.start - 1] in "\r\n"
        if whole and not edit.replacement:
            continue
        for _, start, comment in source.comments():
            inside = edit.start <= start < edit.end
            if inside and not any(comment in one.replacement for one in edits):
                yield comment
