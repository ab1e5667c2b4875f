"""What a fix changes, as a unified diff and as the few lines below a code frame."""

from __future__ import annotations

import subprocess
from textwrap import dedent

import pytest

from trainlint.core.fix import Edit, Fix, Safety, apply_fixes
from trainlint.core.report import FileReport
from trainlint.output.diff import painted, preview, unified
from trainlint.output.style import Style
from trainlint.static.edits import edited_lines
from trainlint.static.source import SourceFile

TEXT = "a = 1\nb = 2\nc = 3\nd = 4\ne = 5\nf = 6\n"


def shown(text: str, *edits: tuple[int, int, str], style: Style | None = None) -> str:
    """Return the preview of edits of a text."""
    source = SourceFile("a.py", text)
    fix = Fix("mend", Safety.SAFE, tuple(Edit(*edit) for edit in edits))
    report = FileReport("a.py")
    report.lines = {n: source.lines[n - 1] for n in edited_lines(source, fix, around=2)}
    report.starts = {number: source.line_starts[number - 1] for number in report.lines}
    return "\n".join(preview(report, fix, style or Style()))


def test_a_replaced_line_stands_between_its_neighbours():
    assert shown(TEXT, (10, 11, "20")) == dedent("""\
          |
        1 | a = 1
          - b = 2
        2 + b = 20
        3 | c = 3
          |""")


def test_new_lines_are_counted_in_the_numbers_below():
    assert shown(TEXT, (6, 6, "x = 0\ny = 0\n"), (30, 36, "")) == dedent("""\
          |
        1 | a = 1
        2 + x = 0
        3 + y = 0
        4 | b = 2
        ...
        7 | e = 5
          - f = 6
          |""")


def test_a_line_taken_away_and_one_put_at_the_end():
    assert shown(TEXT, (0, 6, ""), (36, 36, "g = 7\n")) == dedent("""\
          |
          - a = 1
        1 | b = 2
        ...
        5 | f = 6
        6 + g = 7
          |""")


def test_edits_of_one_line_are_one_change():
    assert shown(TEXT, (6, 7, "x"), (10, 11, "20")) == dedent("""\
          |
        1 | a = 1
          - b = 2
        2 + x = 20
        3 | c = 3
          |""")


def test_an_expression_of_several_lines_is_replaced_by_fewer():
    text = "a = f(\n    1,\n    2,\n)\nb = 2\n"
    assert shown(text, (4, text.index(")") + 1, "g()")) == dedent("""\
          |
          - a = f(
          -     1,
          -     2,
          - )
        1 + a = g()
        2 | b = 2
          |""")


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_the_ends_of_lines_make_no_difference(end):
    text = TEXT.replace("\n", end)
    at = text.index("b")
    assert shown(text, (at, at, f"x = 0{end}")) == shown(TEXT, (6, 6, "x = 0\n"))
    whole = (at, text.index("c"), f"x{end}")
    assert shown(text, whole) == shown(TEXT, (6, 12, "x\n"))


def test_an_edit_that_changes_nothing_shows_nothing():
    assert shown(TEXT, (0, 1, "a")) == ""
    assert shown(TEXT) == ""


def test_of_a_long_line_what_stands_around_the_change_is_shown():
    text = f"a = [{'1, ' * 200}x, {'2, ' * 200}]\n"
    out = shown(text, (text.index("x"), text.index("x") + 1, "yy"))
    old, new = out.splitlines()[1:3]
    assert len(old) < 180
    assert " x, 2" in old
    assert " yy, 2" in new
    assert old[4] == new[4] == "…"


def test_the_lines_are_painted_and_cannot_steer_a_terminal():
    out = shown("a = 1  # \x1b[2J\n", (4, 5, "2"), style=Style(colours=True))
    assert "\x1b[2J" not in out
    assert "\x1b[1;31m  - a = 1  # ␛[2J\x1b[0m" in out
    assert "\x1b[32m1 + a = 2  # ␛[2J\x1b[0m" in out


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (TEXT, TEXT.replace("c = 3\n", "")),
        (TEXT, "new\n" + TEXT),
        (TEXT, TEXT.rstrip("\n")),
        (TEXT.rstrip("\n"), TEXT),
        (TEXT.rstrip("\n"), TEXT.rstrip("\n").replace("6", "7")),
        (TEXT.replace("\n", "\r\n"), TEXT.replace("\n", "\r\n").replace("3", "30")),
        (TEXT.replace("\n", "\r"), TEXT.replace("\n", "\r").replace("3", "30")),
        (TEXT.replace("3", "'\f\x85'"), TEXT.replace("3", "'\f\x85!'")),
        ("a\n", ""),
    ],
)
def test_git_applies_a_unified_diff(tmp_path, before, after):
    (tmp_path / "a.py").write_bytes(before.encode())
    diff = "".join(unified("a.py", before, after)).encode()
    subprocess.run(["git", "apply", "-p0", "-"], input=diff, cwd=tmp_path, check=True)
    left = (tmp_path / "a.py").read_bytes() if after else b""
    assert left == after.encode()


def test_a_painted_diff_is_the_diff():
    lines = list(unified("a.py", TEXT, TEXT.replace("3", "4").rstrip("\n")))
    assert "\n".join(painted(lines, Style())) + "\n" == "".join(lines)
    colourful = list(painted(lines, Style(colours=True)))
    assert colourful[0] == "\x1b[1m--- a.py\x1b[0m"
    assert "\x1b[1;31m-c = 3\x1b[0m" in colourful


def test_a_preview_is_what_applying_does():
    edits = ((6, 6, "x = 0\n"), (12, 18, ""), (22, 23, "40"), (30, 36, "y\nz\n"))
    fix = Fix("mend", Safety.SAFE, tuple(Edit(*edit) for edit in edits))
    new = apply_fixes(TEXT, [fix])[0].splitlines()
    for line in shown(TEXT, *edits).splitlines():
        number, sign, text = line[:1], line[2:3], line[4:]
        if number.isdigit():
            assert sign in "+|"
            assert new[int(number) - 1] == text
