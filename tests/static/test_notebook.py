"""A notebook is one program made of its cells, and what changes in it leads back into them."""

from __future__ import annotations

import codecs
import json
import random
import re

import pytest

from trainlint.core.config import Config, Selection, resolve
from trainlint.static.engine import lint_bytes, lint_files
from trainlint.static.notebook import NotebookFile, read_program
from trainlint.static.source import SourceError, SourceFile

MODEL = """\
import torch.nn.functional as F
from torch import nn

net = nn.Sequential(nn.Linear(8, 4), nn.Softmax(dim=1))
"""
LOSS = """\
def train(loader, optimizer):
    for images, labels in loader:
        optimizer.zero_grad()
        loss = F.cross_entropy(net(images), labels)
        loss.backward()
        optimizer.step()
"""


def code(source, **metadata):
    """Return a code cell."""
    lines = source.splitlines(keepends=True) if isinstance(source, str) else source
    return {
        "cell_type": "code",
        "execution_count": 1,
        "metadata": metadata,
        "outputs": [{"name": "stdout", "output_type": "stream", "text": ['"source": ["é\\n"]\n']}],
        "source": lines,
    }


def prose(source="# Title"):
    """Return a cell of Markdown."""
    return {"cell_type": "markdown", "metadata": {}, "source": [source]}


def document(*cells, **keys):
    """Return a notebook."""
    info = {"kernelspec": {"language": "python"}, "language_info": {"name": "python"}}
    return {"cells": list(cells), "metadata": info, "nbformat": 4, "nbformat_minor": 5, **keys}


def written(*cells, indent=1, ascii_only=False, **keys):
    """Return the bytes of a notebook, as Jupyter writes them."""
    notebook = document(*cells, **keys)
    return (json.dumps(notebook, indent=indent, ensure_ascii=ascii_only) + "\n").encode()


def notebook(*cells, **keys):
    """Return a notebook as a source file."""
    return SourceFile.from_bytes("n.ipynb", written(*cells, **keys))


@pytest.fixture(scope="module")
def settings(catalogue):
    """Return settings in which the usual rules are on."""
    return resolve(catalogue, Config(), Selection("the command line", extend_select=("TL001",)))


# -- the program --------------------------------------------------------------------------------


def test_the_cells_are_one_program_in_order(settings):
    report = lint_bytes("n.ipynb", written(prose(), code(MODEL), prose(), code(LOSS)), settings)
    assert report.failures == []
    (one,) = report.diagnoses
    assert (one.code, one.span.place) == ("TL301", "cell 4:4:16")
    assert [(place.path, place.span.place) for place in one.related] == [("", "cell 2:4:38")]


def test_positions_are_those_of_the_cells():
    file = notebook(
        prose(), code("x = 1\n\ny = 2\n"), code(""), code("# é\nif x:\n    z = 'é'; w = 3")
    )
    places = [file.span(one) for one in [*file.tree.body, *file.tree.body[-1].body]]
    assert [one.place for one in places] == [
        "cell 2:1:1", "cell 2:3:1", "cell 4:2:1", "cell 4:3:5", "cell 4:3:14"
    ]  # fmt: skip
    assert file.segment(file.tree.body[-1].body[1]) == "w = 3"
    shown = places[2].shown
    assert (shown.line, shown.end_line, shown.end_column) == (2, 3, 19)


def test_lines_end_in_cells_as_they_end():
    file = notebook(code(["a = 1\r\n", "b = 2\r", "c = 3\n", "# \u2028\f d"]), code("e = 5"))
    assert [file.span(one).place for one in file.tree.body] == [
        "cell 1:1:1", "cell 1:2:1", "cell 1:3:1", "cell 2:1:1"
    ]  # fmt: skip


def test_a_cell_that_ends_like_the_line_between_cells_does_not_end_there():
    file = notebook(code("a = 1\n\f\nb = 2"), code("\f\f\nc = 3"))
    assert [file.span(one).place for one in file.tree.body] == [
        "cell 1:1:1", "cell 1:3:1", "cell 2:2:1"
    ]  # fmt: skip
    assert file.encoded() == written(code("a = 1\n\f\nb = 2"), code("\f\f\nc = 3"))


@pytest.mark.parametrize("source", ["x = 1\ny = 2", "x = 1\ny = 2\n"])
def test_a_source_may_be_one_string(source):
    cell = {**code(""), "source": source}
    assert [notebook(cell).span(one).place for one in notebook(cell).tree.body] == [
        "cell 1:1:1",
        "cell 1:2:1",
    ]


def test_only_cells_of_python_are_read():
    file = notebook(
        prose("x = ("),
        {"cell_type": "raw", "metadata": {}, "source": ["x = ("]},
        code("%%bash\nls ("),
        code("select (", vscode={"languageId": "sql"}),
        {"cell_type": "code", "metadata": {}},
        code("%%time\ny = await f()\nplot(y);\n!ls\nasync for z in y: pass"),
    )
    assert file.failures == ()
    assert [cell.number for cell in file.cells] == [6]


@pytest.mark.parametrize(
    "info",
    [
        {"language_info": {"name": "R"}},
        {"kernelspec": {"language": "julia"}},
        {"kernelspec": {"language": "C++17", "name": "xcpp"}},
    ],
)
def test_notebooks_of_other_kernels_are_left_out(settings, info):
    report = lint_bytes("n.ipynb", written(code("x <- ("), metadata=info), settings)
    assert (report.diagnoses, report.failures) == ([], [])


@pytest.mark.parametrize(
    "info", [{}, None, [], {"kernelspec": None, "language_info": {"name": ""}}]
)
def test_a_notebook_that_names_no_language_is_python(info):
    assert len(notebook(code("x = 1"), metadata=info).tree.body) == 1


def test_a_cell_may_be_indented_as_a_whole():
    file = notebook(code("x = 1"), code("    y = 2\n    z = 3"), code("w = 4"))
    assert file.failures == ()
    (block,) = (one for one in file.tree.body if hasattr(one, "test"))
    assert [file.span(one).place for one in block.body] == ["cell 2:1:5", "cell 2:2:5"]


def test_the_last_expression_of_a_cell_is_shown_and_not_thrown_away(settings):
    cells = [
        "import torch\nfrom torch import nn\n\nx = torch.ones(3)",
        "x.exp()",
        "x.sum()\nx.exp()",
    ]
    data = written(*(code(one) for one in [*cells, "print(x)"]))
    report = lint_bytes("n.ipynb", data, settings)
    assert [(one.code, one.span.place) for one in report.diagnoses] == [("TL517", "cell 3:1:1")]


# -- broken cells -------------------------------------------------------------------------------


def test_a_broken_cell_is_named_and_the_others_are_linted(settings):
    broken = "x = 1\nfor x in\n"
    report = lint_bytes("n.ipynb", written(code(MODEL), code(broken), code(LOSS)), settings)
    assert [str(one) for one in report.failures] == [
        "n.ipynb:cell 2:2: syntax error: invalid syntax"
    ]
    assert [one.span.place for one in report.diagnoses] == ["cell 3:4:16"]


@pytest.mark.parametrize(
    ("first", "second", "broken"),
    [
        ("x = (1,", "2)", [1, 2]),
        ("x = '''", "'''", [1, 2]),
        ("x = 1 + \\", "2", [1]),
        ("for x in y:", "    f(x)", [1]),
        ("def f():\n    pass\nelse", "    f(x)", [1]),
        ("if x:\n    f(x)", "else:\n    g(x)", [2]),
        ("x\0 = 1", "y = 2", [1]),
        ("x = '\ud800'", "y = 2", [1]),
        ("return (", "", [1]),
    ],
)
def test_cells_do_not_mend_each_other(first, second, broken):
    file = notebook(code("a = 1"), code(first), code(second), code("b = 2"), ascii_only=True)
    assert [one.cell - 1 for one in file.failures] == broken
    assert all(one.line in {1, None} or first.count("\n") for one in file.failures)
    places = [file.span(one).place for one in file.tree.body]
    assert (places[0], places[-1]) == ("cell 1:1:1", "cell 4:1:1")


def test_the_line_of_an_unfinished_cell_is_one_of_its_own():
    file = notebook(code("if x:"), code("def f():\n    try:\n        g()"))
    assert [(one.cell, one.line) for one in file.failures] == [(1, 1), (2, 3)]


# -- broken notebooks ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b'{"cells": [', "n.ipynb:1: is no notebook: not JSON, Expecting value"),
        (b'{"cells": []} x', "n.ipynb:1: is no notebook: not JSON, Extra data"),
        (b"\n\nimport torch\n", "n.ipynb:3: is no notebook: not JSON, Expecting value"),
        (b"[1]", "n.ipynb: is no notebook: the JSON is no object"),
        (b"null", "n.ipynb: is no notebook: the JSON is no object"),
        (b'{"a": 1}', "n.ipynb: is no notebook: it has no list of cells"),
        (b'{"cells": 3}', "n.ipynb: is no notebook: it has no list of cells"),
        (b'{"cells": [3]}', "n.ipynb: is no notebook: cell 1 is no object"),
        (
            b'{"cells": [{"cell_type": "code", "source": [1]}]}',
            "n.ipynb: is no notebook: the source of cell 1 is no text",
        ),
        (
            b'{"cells": [{"cell_type": "code", "source": null}]}',
            "n.ipynb: is no notebook: the source of cell 1 is no text",
        ),
        (
            b'{"worksheets": [], "nbformat": 3}',
            "n.ipynb: is a notebook of an old format; `jupyter nbconvert --to notebook` renews it",
        ),
        (b'{"cells": ["\xe9"]}', "n.ipynb:1: is not utf-8: byte 0xe9 cannot be decoded"),
        (b"\xff\xfe{\0", "n.ipynb: is encoded in UTF-16; Python reads UTF-8, save it as that"),
        (b"[" * 100_000, "n.ipynb: is no notebook: its JSON is nested too deeply"),
        (b'{"cells": [' + b"9" * 5000 + b"]}", None),
    ],
)
def test_what_is_no_notebook_is_told_in_one_line(settings, data, reason):
    report = lint_bytes("n.ipynb", data, settings)
    (failure,) = report.failures
    assert report.diagnoses == []
    assert "\n" not in str(failure)
    assert reason is None or str(failure) == reason


@pytest.mark.parametrize("data", [b"", b" \n", codecs.BOM_UTF8, written(), written(prose())])
def test_an_empty_notebook_is_fine(settings, data):
    report = lint_bytes("n.ipynb", data, settings)
    assert (report.diagnoses, report.failures) == ([], [])
    assert SourceFile.from_bytes("n.ipynb", data).encoded() == data


def test_twenty_megabytes_of_outputs_are_no_reason_not_to_lint(settings, tmp_path):
    cell = code(LOSS)
    cell["outputs"] = [{"data": {"image/png": "iVBOR" * 4_200_000}}]
    path = tmp_path / "n.ipynb"
    path.write_bytes(written(code(MODEL), cell))
    assert path.stat().st_size > 20_000_000
    (report,) = lint_files([str(path)], settings)
    assert report.failures == []
    assert [one.span.place for one in report.diagnoses] == ["cell 2:4:16"]


def test_a_program_of_twenty_megabytes_is_not_linted(settings):
    report = lint_bytes("n.ipynb", written(code("x = 1" + " " * 20_000_000)), settings)
    assert [one.reason for one in report.failures] == ["is over 20 MB and not linted"]


# -- the project --------------------------------------------------------------------------------


def test_a_notebook_imports_the_modules_of_its_project(settings, tmp_path):
    (tmp_path / "models.py").write_text(MODEL)
    path = tmp_path / "train.ipynb"
    path.write_bytes(
        written(code("import torch.nn.functional as F\nfrom models import net"), code(LOSS))
    )
    paths = [str(tmp_path / "models.py"), str(path)]
    module, found = lint_files(paths, settings)
    assert module.diagnoses == []
    (one,) = found.diagnoses
    assert (one.code, one.span.place) == ("TL301", "cell 2:4:16")
    assert [place.path for place in one.related] == [paths[0]]


def test_a_notebook_does_not_stand_for_a_package_of_its_name(settings, tmp_path):
    (tmp_path / "torch.ipynb").write_bytes(written(code("nn = 3")))
    path = tmp_path / "train.py"
    path.write_text(MODEL + LOSS)
    *_, report = lint_files([str(tmp_path / "torch.ipynb"), str(path)], settings)
    assert [one.code for one in report.diagnoses] == ["TL301"]


def test_who_calls_a_function_may_be_a_notebook(settings, tmp_path):
    (tmp_path / "loops.py").write_text(
        "import torch.nn.functional as F\n\n\n"
        "def train(net, loader, optimizer):\n"
        "    for images, labels in loader:\n"
        "        optimizer.zero_grad()\n"
        "        loss = F.cross_entropy(net(images), labels)\n"
        "        loss.backward()\n"
        "        optimizer.step()\n"
    )
    path = tmp_path / "run.ipynb"
    calls = "from loops import train\nimport torch\n"
    calls += (
        "optimizer = torch.optim.SGD(net.parameters(), lr=0.1)\ntrain(net, loader, optimizer)\n"
    )
    path.write_bytes(written(prose(), code(MODEL), code(calls)))
    module, caller = lint_files([str(tmp_path / "loops.py"), str(path)], settings)
    assert (caller.diagnoses, module.failures, caller.failures) == ([], [], [])
    (one,) = module.diagnoses
    assert (one.code, one.span.place) == ("TL301", "7:16")
    assert [(place.path, place.span.place) for place in one.related] == [(str(path), "cell 2:4:38")]


def test_the_program_of_a_broken_notebook_is_empty(tmp_path):
    (tmp_path / "n.ipynb").write_text("{")
    assert read_program(str(tmp_path / "n.ipynb")) == ""


# -- comments -----------------------------------------------------------------------------------


def test_comments_silence_in_cells(settings):
    silenced = LOSS.replace("labels)\n", "labels)  # noqa: TL301\n")
    report = lint_bytes("n.ipynb", written(code(MODEL), code(silenced)), settings)
    assert report.diagnoses == []


def test_a_comment_in_the_first_cell_silences_the_file(settings):
    cells = [
        code("!pip install 'x\n# trainlint: file-ignore[TL301] so be it"),
        code(MODEL),
        code(LOSS),
    ]
    report = lint_bytes("n.ipynb", written(*cells), settings)
    assert (report.diagnoses, report.failures) == ([], [])


def test_a_comment_that_silences_nothing_is_taken_out_of_its_cell(settings):
    source = "import torch\n# trainlint: ignore[TL301]"
    data = written(code(source), code("x = 1"))
    (one,) = lint_bytes("n.ipynb", data, settings).diagnoses
    assert (one.code, one.span.place) == ("TL001", "cell 1:2:21")
    file = NotebookFile.from_bytes("n.ipynb", data)
    assert one.fix is not None
    (edit,) = one.fix.edits
    after = file.with_text(file.text[: edit.start] + edit.replacement + file.text[edit.end :])
    assert after.encoded() == written(code("import torch"), code("x = 1"))


# -- edits --------------------------------------------------------------------------------------


def edited(data, old, new):
    """Return the bytes of a notebook in which one piece of the program is replaced."""
    file = NotebookFile.from_bytes("n.ipynb", data)
    assert file.text.count(old) == 1
    return file.with_text(file.text.replace(old, new)).encoded()


@pytest.mark.parametrize("indent", [1, 2, "\t", None])
@pytest.mark.parametrize("ascii_only", [True, False])
@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("b = 'é'", "b = 'ü\\\\😀'"),
        ("b = 'é'\n", ""),
        ("b = 'é'\n", "b = 'é'\nnew = 1\n"),
        ("a = 1\n", "import x\na = 1\n"),
        ("a = 1\nb = 'é'\n", "c = 0\n"),
        ("d = 4", "d = 4\ne = 5\n"),
        ("\nd = 4", ""),
        ("d = 4", ""),
        ("b = 'é'\n\n", "b = "),
    ],
)
def test_an_edit_changes_the_source_and_nothing_else(indent, ascii_only, old, new):
    source = "a = 1\nb = 'é'\n\nc = 3\nd = 4"
    cells = prose("é"), code("first = 'é'"), code(source), code("last = 1\n")
    before = written(*cells, indent=indent, ascii_only=ascii_only)
    expected = written(
        *cells[:2], code(source.replace(old, new)), cells[3],
        indent=indent, ascii_only=ascii_only,
    )  # fmt: skip
    assert edited(before, old, new) == expected


def test_an_odd_way_of_writing_json_is_kept():
    before = (
        b'\xef\xbb\xbf{ "nbformat":4,\r\n "cells" : [ {"source":["\\u0061 = \\"\\/\\"\\n" ,\t"b = 2\\n","c=3"],\r\n'
        b'"zzz": 1e5, "cell_type":"code"} ],"metadata":{} }'
    )
    assert edited(before, "b = 2", "b = 22") == before.replace(b"b = 2", b"b = 22")
    assert edited(before, "a = ", "aa = ") == before.replace(b"\\u0061 = ", b"\\u0061a = ")
    assert edited(before, "b = 2\n", "") == before.replace(b'"b = 2\\n",', b"")
    assert edited(before, "c=3", "c=4\nd=5") == before.replace(b'"c=3"', b'"c=4\\n" ,\t"d=5"')


def test_a_source_of_one_string_stays_one():
    before = written({**code(""), "source": "a = 1\nb = 2\n"})
    after = edited(before, "a = 1\n", "a = 1\nx = 'é'\n")
    assert after == written({**code(""), "source": "a = 1\nx = 'é'\nb = 2\n"})


def test_a_list_that_is_not_split_at_its_lines_is_changed_where_the_edit_is():
    before = written(code(["a = 1\nb", " = 2\nc = 3"]))
    assert edited(before, "b = 2", "b = 4") == before.replace(b" = 2", b" = 4")


def test_an_empty_cell_can_be_filled():
    before = written(code("a = 1"), code(""))
    file = NotebookFile.from_bytes("n.ipynb", before)
    after = file.with_text(file.text.removesuffix("\n") + "b = 2\nc = 3\n").encoded()
    assert json.loads(after) == document(code("a = 1"), code("b = 2\nc = 3"))


def test_edits_over_several_rounds_are_those_of_one():
    before = written(code("a = 1\nb = 2"), code("c = 3"))
    file = NotebookFile.from_bytes("n.ipynb", before)
    for old, new in (("a = 1\n", ""), ("c = 3", "c = 3\nd = 4"), ("b = 2", "a = 1\nb = 2")):
        file = file.with_text(file.text.replace(old, new))
    assert file.encoded() == written(code("a = 1\nb = 2"), code("c = 3\nd = 4"))


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("a = 1\n", "a = (\n", "n.ipynb:cell 1:1: syntax error: '(' was never closed"),
        ("b = 2\n", "b = 2", None),
        ("b = 2\n\f\n", "", "n.ipynb: an edit runs over the border of a cell"),
        ("%%time", "import x\n%%time", "n.ipynb: an edit stands before the magic of a cell"),
    ],
)
def test_an_edit_that_would_break_a_cell_is_refused(old, new, reason):
    file = notebook(code("a = 1\nb = 2"), code("%%time\nc = 3"), code("d = ("))
    text = file.text.replace(old, new)
    if reason is None:
        assert file.with_text(text).encoded() == file.encoded()
        return
    with pytest.raises(SourceError, match=re.escape(reason)):
        file.with_text(text)


def test_only_what_lies_in_one_cell_may_be_replaced():
    file = notebook(code("a = 1"), code("b = 2"))
    second = file.text.index("b")
    assert file.may_replace(0, 6)
    assert file.may_replace(second, len(file.text))
    assert file.may_replace(6, 6)
    assert not file.may_replace(4, second)
    assert not file.may_replace(4, 7)


def test_any_edit_can_be_written_and_read_back():
    numbers = random.Random(7)  # noqa: S311 - a test that is the same every time
    pieces = [
        "x = 1\n",
        "é = '\\\\'\n",
        '"""\n',
        "\n",
        "if x:\n",
        "    y = '😀'\n",
        "%time f(x)\n",
        "z",
    ]
    for _ in range(300):
        sources = ["".join(numbers.choices(pieces, k=numbers.randrange(7))) for _ in range(3)]
        data = written(*map(code, sources), ascii_only=numbers.random() < 0.5)
        file = NotebookFile.from_bytes("n.ipynb", data)
        assert file.encoded() == data
        wanted = [
            "".join(numbers.choices(pieces, k=numbers.randrange(7)))
            if numbers.random() < 0.3
            else "".join(line for line in one.splitlines(keepends=True) if numbers.random() < 0.8)
            for one in sources
        ]
        text = file._document.separator.join(one + "\n" for one in wanted)
        try:
            after = file.with_text(text).encoded()
        except SourceError:
            continue
        read = json.loads(after)
        assert ["".join(cell["source"]) for cell in read["cells"]] == wanted
        for cell, source in zip(read["cells"], wanted, strict=True):
            assert cell["source"] == source.splitlines(keepends=True) or not source
            cell["source"] = []
        assert read == document(*(code("") for _ in wanted))
