"""The code frame marks what it says, whatever the line holds."""

from __future__ import annotations

from textwrap import dedent

import pytest

from trainlint.core.diagnosis import Diagnosis, Related, Severity, Span
from trainlint.core.report import FileReport
from trainlint.output.frame import LONGEST, frame
from trainlint.output.style import Style, printable, width


def shown(text, span, *related, label="here", others=None):
    """Return the frame of a diagnosis in a text."""
    diagnosis = Diagnosis(
        rule="a-rule",
        code="TL301",
        severity=Severity.ERROR,
        path="f.py",
        span=Span(*span),
        message="",
        remedy="",
        label=label,
        related=tuple(Related(Span(*other), *what) for other, *what in related),
    )
    lines = dict(enumerate(text.split("\n"), start=1))
    report = FileReport("f.py", lines=lines, others=others or {})
    return "\n".join(frame(diagnosis, report, Style())) + "\n"


def test_the_span_is_underlined_between_its_neighbours():
    text = "a = 1\nb = 2\nc = f(a)\nd = 4\ne = 5\ng = 6\n"
    assert shown(text, (3, 5, 3, 9)) == dedent("""\
          |
        1 | a = 1
        2 | b = 2
        3 | c = f(a)
          |     ^^^^ here
        4 | d = 4
        5 | e = 5
          |
    """)


def test_a_second_place_is_marked_in_the_same_frame_and_far_ones_are_cut():
    text = "".join(f"v{number} = {number}\n" for number in range(1, 101))
    found = shown(text, (100, 1, 100, 5), ((3, 1, 3, 3), "made here"), label="used here")
    assert found == dedent("""\
            |
          2 | v2 = 2
          3 | v3 = 3
            | -- made here
          4 | v4 = 4
        ...
         98 | v98 = 98
         99 | v99 = 99
        100 | v100 = 100
            | ^^^^ used here
            |
    """)


def test_two_marks_on_one_line_stand_below_each_other():
    assert shown("loss = f(softmax(x))\n", (1, 8, 1, 21), ((1, 10, 1, 20), "the first")) == dedent("""\
          |
        1 | loss = f(softmax(x))
          |        ^^^^^^^^^^^^^ here
          |          ---------- the first
          |
    """)


def test_a_span_of_several_lines_is_underlined_on_each():
    assert shown("x = f(\n    a,\n)\n", (1, 5, 3, 2)) == dedent("""\
          |
        1 | x = f(
          |     ^^
        2 |     a,
          |     ^^
        3 | )
          | ^ here
          |
    """)


def test_of_a_span_of_many_lines_only_the_first_is_underlined():
    text = "f(\n" + "    a,\n" * 20 + ")\n"
    assert shown(text, (1, 1, 22, 2)).splitlines()[2] == "  | ^^ here"
    assert shown(text, (1, 1, 22, 2)).count("^") == 2


@pytest.mark.parametrize(
    ("line", "marked"),
    [
        ("\tf(x)", "f(x)"),
        ("x = '中文'; f(x)", "f(x)"),
        ("x = 'é'; f(x)", "f(x)"),
        ("x = 'e\u0301'; f(x)", "f(x)"),
        ("x = '中'", "'中'"),
        ("x = '\x1b[31m'; f(x)", "f(x)"),
        ("\x0cf(x)", "f(x)"),
    ],
)
def test_marks_stand_below_tabs_and_wide_and_unprintable_signs(line, marked):
    start = line.index(marked)
    found = shown(line, (1, start + 1, 1, start + len(marked) + 1), label="").split("\n")
    code, marks = found[1].removeprefix("1 | "), found[2].removeprefix("  | ")
    before = code[: code.index(marked)]
    assert marks == " " * width(before) + "^" * width(marked)
    assert printable(code) == code


def test_of_a_long_line_only_what_is_around_the_mark_is_shown():
    line = "x = [" + "1, " * 2000 + "target, " + "2, " * 2000 + "]"
    start = line.index("target")
    code, marks = shown(line, (1, start + 1, 1, start + 7)).split("\n")[1:3]
    assert len(code) < LONGEST + 10
    assert code.startswith("1 | …")
    assert code.endswith("…")
    assert marks.index("^") == code.index("target")
    assert marks.endswith("^^^^^^ here")


def test_an_empty_span_and_one_past_the_end_have_one_mark():
    assert "  | ^ here\n" in shown("\n", (1, 1, 1, 1))
    assert "  |    ^ here\n" in shown("abc\n", (1, 4, 1, 4))


def test_without_its_lines_there_is_no_frame():
    assert shown("", (5, 1, 5, 2)) == "\n"


def test_a_mark_is_painted_by_the_severity():
    for severity, colour in (("error", "1;31"), ("warning", "1;33"), ("advice", "36")):
        one = Diagnosis("r", "TL301", Severity(severity), "f.py", Span(1, 1, 1, 2), "", "")
        found = "\n".join(frame(one, FileReport("f.py", lines={1: "x"}), Style(colours=True)))
        assert f"\x1b[{colour}m^\x1b[0m" in found


def test_a_place_in_another_file_stands_below_under_its_name():
    others = {"models.py": {11: "def forward(self, x):", 12: "    return F.softmax(x)", 13: ""}}
    place = ((12, 12, 12, 24), "the first softmax", "models.py")
    assert shown("loss = f(net(x))\n", (1, 8, 1, 17), place, others=others) == dedent("""\
           |
         1 | loss = f(net(x))
           |        ^^^^^^^^^ here
           |
          ::: models.py:12:12
           |
        11 | def forward(self, x):
        12 |     return F.softmax(x)
           |            ------------ the first softmax
           |
    """)
