"""What is no Python becomes one line, and what is stands where it says."""

from __future__ import annotations

import ast
import codecs
import os
import sys

import pytest

from trainlint.static.source import MAX_BYTES, SourceError, SourceFile

DEEP = 5_000


@pytest.mark.parametrize(
    ("data", "line"),
    [
        (b"import torch\ndef f(:\n", "f.py:2: syntax error: invalid syntax"),
        (b"import torch\nprint 'x'\n", "f.py:2: syntax error: Missing parentheses in call to"),
        (b"try:\n    f()\nexcept E, e:\n    pass\n", "f.py:3: syntax error: multiple exception"),
        (b"exec 'x'\n", "f.py:1: syntax error: Missing parentheses in call to 'exec'"),
        (b"if x:\npass\n", "f.py:2: syntax error: expected an indented block"),
        (b"x = 1\n\ty = 2\n", "f.py:2: syntax error: unexpected indent"),
        (b"if x:\n\ty\n        z\n", "f.py:3: syntax error: inconsistent use of tabs"),
        (b"x = '\n", "f.py:1: syntax error: unterminated string literal"),
        (b"a\nb\0c\n", "f.py:2: has a NUL byte: it is no Python source"),
        (b"a\r\nb\0c\n", "f.py:2: has a NUL byte: it is no Python source"),
        (bytes(range(256)), "f.py:1: has a NUL byte: it is no Python source"),
        (b"\x89PNG\r\n\x1a\n\xff", "f.py:1: is not utf-8: byte 0x89 cannot be decoded"),
        ("a\nb = 'é'\n".encode("latin-1"), "f.py:2: is not utf-8: byte 0xe9 cannot be decoded"),
        (b"# coding: ascii\nx = '\xe9'\n", "f.py:2: is not ascii: byte 0xe9 cannot be decoded"),
        ("x = 1".encode("utf-16"), "f.py: is encoded in UTF-16; Python reads UTF-8"),
        ("x = 1".encode("utf-32"), "f.py: is encoded in UTF-32; Python reads UTF-8"),
        (b"# coding: klingon\nx = 1\n", "f.py:1: names an unknown encoding, `klingon`"),
        (b"# coding: hex\nx = 1\n", "f.py:1: names an unknown encoding, `hex`"),
        (b"# coding: undefined\nx = 1\n", "f.py:1: cannot be decoded as `undefined`"),
        (b"x = " + b"1" * 5000, "f.py:1: syntax error: Exceeds the limit"),
    ],
)
def test_what_is_no_python_is_one_line_with_its_place(data, line):
    with pytest.raises(SourceError) as raised:
        SourceFile.from_bytes("f.py", data)
    assert str(raised.value).startswith(line)
    assert "\n" not in str(raised.value)


@pytest.mark.skipif(sys.version_info >= (3, 12), reason="this Python knows type parameters")
@pytest.mark.parametrize(
    "line",
    ["class Box[T]:", "def first[T](items): ...", "type Pair = tuple", "type P[T] = list[T]"],
)
def test_the_syntax_of_a_later_python_is_said_to_be_that(line):
    with pytest.raises(SourceError, match=r"it is of Python 3\.12, and this is 3\.11: run"):
        SourceFile.from_bytes("f.py", f"import torch\n{line}\n".encode())


@pytest.mark.parametrize(
    "text",
    [
        "x = " + "(" * DEEP + "1" + ")" * DEEP,
        "x = " + "[" * DEEP + "]" * DEEP,
        "x = " + "-" * DEEP + "1",
        "x = " + "not " * DEEP + "1",
        "x = " + "+".join(["1"] * DEEP),
        "x = torch" + ".a" * DEEP,
        "x = torch" + ".a()" * DEEP,
        "x = " + "lambda: " * DEEP + "1",
        "x = " + "1 if a else " * DEEP + "1",
        "if a:\n    pass\n" + "elif a:\n    pass\n" * DEEP,
        "".join(" " * depth + "if a:\n" for depth in range(200)) + " " * 200 + "pass\n",
        "x" * DEEP + "\n" + "f(" * DEEP,
    ],
)
def test_what_is_nested_too_deeply_is_one_line(text):
    # Newer Pythons parse some of these.
    try:
        SourceFile.from_bytes("f.py", text.encode())
    except SourceError as error:
        assert "nested" in str(error) or "syntax error" in str(error)  # noqa: PT017
        assert "\n" not in str(error)  # noqa: PT017


@pytest.mark.parametrize(
    "data",
    [
        b"",
        codecs.BOM_UTF8,
        b"\n\n\n",
        b"# only a comment",
        codecs.BOM_UTF8 + b"x = 1\n",
        b"\x0cx = 1\n\x0c\ny = 2",
        b"if x:\n\ty = 1\n",
        b"x = 1\r\ny = 2\r\n",
        b"x = 1\ry = 2\r",
        b"#!/bin/sh\n# -*- coding: latin-1 -*-\nx = '\xe9'\n",
        b"#!/bin/sh\r# coding: latin-1\rx = '\xe9'\r",
        b"x = '\\d'\nassert (x is 1, 2)\n",
    ],
)
def test_what_python_reads_is_read(data):
    assert ast.dump(SourceFile.from_bytes("f.py", data).tree) == ast.dump(parsed(data))


def parsed(data):
    """Return the tree that Python makes of the bytes of a file."""
    import warnings  # noqa: PLC0415

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return ast.parse(data)


def test_an_encoding_in_the_third_line_or_behind_code_does_not_count():
    for data in (b"\n\n# coding: latin-1\nx = '\xe9'\n", b"x = 1\n# coding: latin-1\ny = '\xe9'\n"):
        with pytest.raises(SourceError, match="is not utf-8"):
            SourceFile.from_bytes("f.py", data)


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("before", ["", "\x0c", "# é 中 😀\n", "'''a\nb'''\n"])
def test_a_span_counts_characters_whatever_the_line_ends(end, before):
    text = (before + "x = 1\nif y:\n\tf('é😀', net(x))\n").replace("\n", end)
    source = SourceFile.from_bytes("f.py", text.encode())
    call = next(
        node
        for node in ast.walk(source.tree)
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "net"
    )
    line = before.count("\n") + 3
    span = source.span(call)
    assert (span.line, span.column, span.end_line, span.end_column) == (line, 10, line, 16)
    assert source.segment(call) == "net(x)"
    start = text.index("net(x)")
    assert source.offset(call.lineno, call.col_offset) == start
    assert source.span_of_offsets(start, start + 6) == span
    assert source.lines[line - 1][9:15] == "net(x)"


def test_a_span_over_several_lines_ends_where_the_last_node_ends():
    source = SourceFile("f.py", "f(\n    1,\n)\ng()\n")
    first, last = source.tree.body
    assert source.span(first).end_line == 3
    span = source.span_between(first, last)
    assert (span.line, span.column, span.end_line, span.end_column) == (1, 1, 4, 4)
    assert source.segment(first) == "f(\n    1,\n)"


def test_what_is_no_regular_file_is_one_line_and_nobody_waits(tmp_path):
    os.mkfifo(tmp_path / "pipe.py")
    for path, reason in ((tmp_path / "pipe.py", "it is not a regular file"), (tmp_path, "")):
        with pytest.raises(SourceError, match=f"cannot be read: {reason}"):
            SourceFile.read(str(path))


def test_a_file_that_has_gone_or_leads_nowhere_is_one_line(tmp_path):
    (tmp_path / "loop.py").symlink_to("loop.py")
    (tmp_path / "nowhere.py").symlink_to("gone.py")
    for name, reason in (
        ("gone.py", "No such file or directory"),
        ("nowhere.py", "No such file or directory"),
        ("loop.py", "Too many levels of symbolic links"),
    ):
        with pytest.raises(SourceError) as raised:
            SourceFile.read(str(tmp_path / name))
        assert str(raised.value) == f"{tmp_path / name}: cannot be read: {reason}"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read_is_one_line(tmp_path):
    path = tmp_path / "secret.py"
    path.write_text("x = 1\n")
    path.chmod(0)
    with pytest.raises(SourceError, match="cannot be read: Permission denied"):
        SourceFile.read(str(path))


def test_a_file_of_more_than_the_bound_is_not_read(tmp_path):
    path = tmp_path / "big.py"
    with path.open("wb") as stream:
        stream.truncate(MAX_BYTES + 1)
    with pytest.raises(SourceError, match="is over 20 MB and not linted"):
        SourceFile.read(str(path))
