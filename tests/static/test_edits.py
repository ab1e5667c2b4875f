"""A fix ends lines as its file does, and loses no comment."""

from __future__ import annotations

import ast

import pytest

from trainlint.core.fix import Edit, Fix, Safety, apply_fixes
from trainlint.static.edits import edited_lines, fitted
from trainlint.static.source import SourceFile


def mended(text: str, *edits: Edit) -> str | None:
    """Return a text with edits made as its file bears them; None where it does not."""
    fix = fitted(SourceFile("a.py", text), Fix("mend", Safety.SAFE, edits))
    return None if fix is None else apply_fixes(text, [fix])[0]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_a_new_line_ends_as_the_others_do(end):
    text = f"a{end}b{end}"
    at = text.index("b")
    assert mended(text, Edit(at, at, "new\n")) == f"a{end}new{end}b{end}"
    assert mended(text, Edit(len(text), len(text), "new\n")) == f"a{end}b{end}new{end}"


def test_in_a_file_with_mixed_line_ends_a_new_line_ends_as_the_next_does():
    text = "a\nb\r\nc\rd\n"
    for at, name, end in ((0, "a", "\n"), (2, "b", "\r\n"), (5, "c", "\r"), (7, "d", "\n")):
        assert text[at] == name
        assert mended(text, Edit(at, at, "new\n")) == f"{text[:at]}new{end}{text[at:]}"


def test_line_ends_that_an_edit_copies_are_left_as_they_are():
    text = "f(\n    a,\n    b)\r\nc\r\n"
    assert mended(text, Edit(0, 16, "g(\n    b,\n    a)")) == "g(\n    b,\n    a)\r\nc\r\n"
    assert mended("a\r\nb\r\n", Edit(0, 4, "a\r\nc")) == "a\r\nc\r\n"


def test_a_fix_that_would_lose_a_comment_is_none():
    text = "f(\n    a,  # why\n    b,\n)\n"
    end = text.index(")") + 1
    assert mended(text, Edit(0, end, "g(a, b)")) is None
    assert mended(text, Edit(0, end, "g(\n    a,  # why\n)")) == "g(\n    a,  # why\n)\n"
    assert mended(text, Edit(5 + 2, 8, "c")) == text.replace("a,", "c,")


def test_a_comment_may_move_or_go_with_its_line():
    text = "a = 1  # one\nb = 2\n"
    moved = (Edit(0, 13, ""), Edit(19, 19, "a = 1  # one\n"))
    assert mended(text, *moved) == "b = 2\na = 1  # one\n"
    assert mended(text, Edit(0, 13, "")) == "b = 2\n"


def test_a_hash_in_a_string_is_no_comment():
    assert mended("a = '#'\n", Edit(0, 7, "b = 1")) == "b = 1\n"


def test_in_an_f_string_only_what_fits_is_edited():
    text = "a = f'{x.old} {y.old}'\n"
    at = text.index("old")
    assert mended(text, Edit(at, at + 3, "new")) == "a = f'{x.new} {y.old}'\n"
    for wrong in ("g('a')", 'g("a")', "a\\b", "#", "a\n", "{a}"):
        assert mended(text, Edit(at, at + 3, wrong)) is None
    assert mended(text, Edit(4, len(text) - 1, "'new'")) == "a = 'new'\n"
    assert mended(text, Edit(0, 1, "'b'[0]")) == "'b'[0] = f'{x.old} {y.old}'\n"


def test_in_an_f_string_whose_places_the_parser_has_wrong_nothing_is_edited():
    # Before Python 3.12 the places of an expression are those of the first text like it.
    text = "a = f'm {m}'\n"
    places = [
        node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Name) and node.id == "m"
    ]
    at = text.index("{m}") + 1
    right = places[0].col_offset == at
    assert (mended(text, Edit(at, at + 1, "n")) is not None) is right


def test_a_fix_that_edits_another_file_is_none():
    assert mended("a\n", Edit(0, 1, "b", "a.py")) == "b\n"
    assert mended("a\n", Edit(0, 1, "b", "b.py")) is None
    assert mended("a\n", Edit(0, 1, "b", "a.py"), Edit(0, 1, "c", "b.py")) is None


def test_the_lines_of_a_fix_are_those_it_edits_and_some_around():
    source = SourceFile("a.py", "a\nb\nc\nd\ne\n")
    fix = Fix("mend", Safety.SAFE, (Edit(2, 5, "x"), Edit(10, 10, "f\n")))
    assert sorted(set(edited_lines(source, fix, around=0))) == [2, 3, 6]
    assert sorted(set(edited_lines(source, fix, around=1))) == [1, 2, 3, 4, 5, 6]
