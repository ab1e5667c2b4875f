"""What IPython understands is blanked, and what is Python stays where it stands."""

from __future__ import annotations

import ast

import pytest

from trainlint.static.ipython import has_cell_magic, is_other_language, without_magics


def statements(cell):
    """Return the lines and the code of the statements that are left, those that do nothing left out."""
    text = without_magics(cell)
    assert text.count("\n") == cell.count("\n")
    return [
        (one.lineno, one.col_offset, ast.unparse(one))
        for one in ast.parse(text).body
        if ast.unparse(one) != "0"
    ]


@pytest.mark.parametrize(
    "line",
    [
        "%matplotlib inline",
        "% matplotlib inline",
        "%%not_first",
        "!pip install torch",
        "!pip install torch \\\n  --upgrade",
        "!{sys.executable} -m pip install x",
        "!!ls",
        "?torch.nn",
        "??torch.nn",
        "torch.nn?",
        "torch.nn??",
        "net.layers[0]?",
        "%timeit?",
        "pip install -q torch",
        "cd ..",
        "ls -la /tmp",
        "/print 1 2",
        ",print a b",
        ";print a b",
        "%time for x in y: print(x)",
        '!echo "unfinished',
        "!echo (",
    ],
)
def test_what_is_no_python_leaves_the_lines_around_it(line):
    assert statements(f"a = 1\n{line}\nb = 2") == [
        (1, 0, "a = 1"),
        (3 + line.count("\n"), 0, "b = 2"),
    ]


@pytest.mark.parametrize("line", ["!pip install torch", "%cd x", "%time"])
def test_a_command_may_be_all_that_a_block_holds(line):
    (statement,) = statements(f"if colab:\n    {line}\n")
    assert statement == (1, 0, "if colab:\n    0")


@pytest.mark.parametrize(
    ("line", "column"),
    [
        ("%time loss = f(net, x)", 6),
        ("%timeit loss = f(net, x)", 8),
        ("%timeit -n 10 -r3 loss = f(net, x)", 18),
        ("%prun  loss = f(net, x)", 7),
        ("%time loss = f(net,\n  x)", 6),
    ],
)
def test_what_is_timed_is_linted_where_it_stands(line, column):
    assert statements(f"{line}\nb = 2") == [
        (1, column, "loss = f(net, x)"),
        (2 + line.count("\n"), 0, "b = 2"),
    ]


def test_what_is_timed_may_stand_in_a_block():
    (loop,) = ast.parse(without_magics("for x in y:\n    %time step(x)\n")).body
    assert isinstance(loop, ast.For)
    assert [ast.unparse(one) for one in loop.body] == ["0", "step(x)"]


@pytest.mark.parametrize(
    "line", ["files = !ls *.py", "a, b = !ls", "d['k'] = %env HOME", "x = !ls \\\n  -la"]
)
def test_what_a_command_gives_is_assigned_and_unknown(line):
    (statement, after) = ast.parse(without_magics(f"{line}\nb = 2")).body
    assert isinstance(statement, ast.Assign)
    assert isinstance(statement.value, ast.Name)
    assert set(statement.value.id) == {"_"}
    assert after.lineno == 2 + line.count("\n")


@pytest.mark.parametrize(
    "cell",
    [
        "x = (a\n% b)",
        'text = """\n%time x\n!ls\nwhat?\n"""',
        '"""what?\n!ls\n"""',
        "x = 'is it?'",
        "x = 1  # is it?",
        "# %time\n# !ls",
        "x = a \\\n% b",
        "x != y",
        "y = x % 2",
        "x %= 2",
        "f(a,\n  *b\n, c)",
        "ls = 3\nls -= 1\ncp *= 2",
        "print('''\n!ls\n''')",
    ],
)
def test_python_stays_as_it_is(cell):
    ast.parse(cell)
    assert without_magics(cell) == cell


def test_letters_beyond_ascii_keep_the_columns_behind_them():
    assert statements("%time x = 'é'; y = f(x)")[1][1] == len("%time x = 'é'; ".encode())


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        ("%%time\nx = 1", [(2, 0, "x = 1")]),
        ("%%capture output\n%%time\nx = 1", [(3, 0, "x = 1")]),
        ("# a title\n%%timeit -n 3\nx = 1", [(3, 0, "x = 1")]),
        ("\n%%capture\n!pip install x\nx = 1", [(4, 0, "x = 1")]),
        ("%%capture", []),
        ("", []),
    ],
)
def test_a_magic_over_python_leaves_the_python(cell, expected):
    assert not is_other_language({}, cell)
    assert statements(cell) == expected


@pytest.mark.parametrize(
    "magic", ["bash", "html", "writefile x.py", "sql", "!", "R -i x", "python2"]
)
def test_a_magic_over_something_else_leaves_the_cell_out(magic):
    assert is_other_language({}, f"%%{magic}\nx = 1")
    assert is_other_language({}, f"%%time\n%%{magic}\nx = 1")


def test_an_editor_may_say_that_a_cell_holds_something_else():
    assert is_other_language({"vscode": {"languageId": "sql"}}, "select")
    assert not is_other_language({"vscode": {"languageId": "python"}}, "x = 1")
    assert not is_other_language({"vscode": "odd"}, "x = 1")
    assert not is_other_language(None, "x = 1")


def test_the_magic_of_a_cell_stands_before_everything_but_comments():
    assert has_cell_magic("# a title\n%%time\nx")
    assert not has_cell_magic("x\n%%time")
