"""Edits of whole lines: into a loop, out of a ``with``, and arguments in front of others."""

from __future__ import annotations

import pytest


def made(source, edits):
    for edit in sorted(edits, key=lambda edit: edit.start, reverse=True):
        source = source[: edit.start] + edit.replacement + source[edit.end :]
    return source


def test_a_line_is_put_at_the_start_of_a_loop(model):
    source = "for e in range(3):\n    for x in y:\n        ask(x)\n"
    (call,) = model(source).method_calls("ask")
    edit = call.loops[0].line_at_start("begin(e)")
    assert made(source, [edit]) == source.replace("    for x", "    begin(e)\n    for x")


def test_no_line_is_put_into_a_loop_on_one_line(model):
    (call,) = model("for e in range(3): ask(e)\n").method_calls("ask")
    assert call.loops[0].line_at_start("begin(e)") is None


def test_a_loop_knows_the_blocks_around_it(model):
    (call,) = model("def f():\n    for e in g:\n        ask(e)\n").method_calls("ask")
    assert call.loops[0].blocks == call.blocks[:-1]


def test_a_statement_and_the_rest_leave_a_with(model):
    source = "with a:\n\tb()\n\task()\n\t# why\n\tc(\n\t\td\n\t)\ne()\n"
    (call,) = model(source).method_calls("ask")
    expected = "with a:\n\tb()\nask()\n# why\nc(\n\td\n)\ne()\n"
    assert made(source, call.taken_out_of_with()) == expected


@pytest.mark.parametrize("odd", ["\f", "\x1c", "\x85", "\u2028"])
def test_what_ends_no_line_of_python_loses_nothing_when_a_with_is_left(model, odd):
    source = f"with a:\n    b()\n    ask('{odd}      x')\n"
    (call,) = model(source).method_calls("ask")
    assert made(source, call.taken_out_of_with()) == f"with a:\n    b()\nask('{odd}      x')\n"


def test_a_loop_follows_the_statement_right_in_front_of_it(model):
    for text, expected in (
        ("ask()\nfor x in y:\n    b()\n", True),
        ("ask()\n\nfor x in y:\n    b()\n", True),
        ("ask()\nc()\nfor x in y:\n    b()\n", False),
        ("ask()\n# why\nfor x in y:\n    b()\n", False),
        ("if c:\n    ask()\nfor x in y:\n    b()\n", False),
        ("for x in y:\n    b()\nask()\n", False),
    ):
        file = model(text)
        (asked,), (inside,) = file.method_calls("ask"), file.method_calls("b")
        assert inside.loops[0].follows(asked) is expected, text


@pytest.mark.parametrize(
    "source",
    [
        "with a:\n    ask()\n",
        "with a, b:\n    c()\n    ask()\n",
        "with a:\n    b(); ask()\n",
        "with a:\n    b()\n    ask()\n    if c:\n        d()\n",
        "with a:\n    b()\n    ask('''\nc''')\n",
        "with a:\n    for b in c:\n        d()\n        ask()\n",
    ],
)
def test_what_does_not_fit_stays_in_its_with(model, source):
    (call,) = model(source).method_calls("ask")
    assert call.taken_out_of_with() == ()


@pytest.mark.parametrize(
    ("source", "expected"),
    [("ask()", "ask(1)"), ("ask(2)", "ask(1, 2)"), ("(ask) (k=2)", "(ask) (1, k=2)")],
)
def test_an_argument_is_put_in_front(model, source, expected):
    (call,) = model(source).method_calls("ask")
    assert made(source, [call.with_first_argument("1")]) == expected
