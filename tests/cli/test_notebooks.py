"""What `trainlint check` does with notebooks: finds them, names cells, writes fixes into them."""

from __future__ import annotations

import json
import re

import pytest

MODEL = "# é\nimport torch.nn.functional as F\nfrom torch.cuda.amp import autocast\n"
STEP = """\
%%time
def train(net, optimizer, loader):
    net.train()
    for inputs, targets in loader:
        optimizer.zero_grad()
        with autocast():
            outputs = F.softmax(net(inputs), dim=1)
"""
LOSS = """\
            loss = F.cross_entropy(outputs, targets)
        loss.backward()
        optimizer.step()"""
RULES = ("--select", "TL301,TL807")


def written(*sources, ascii_only=False):
    """Return a notebook as Jupyter writes it, with a title before the cells of code."""
    title = {"cell_type": "markdown", "id": "0", "metadata": {}, "source": ["# Title"]}
    cells: list[dict[str, object]] = [{**title}]
    cells += [
        {
            "cell_type": "code",
            "execution_count": number,
            "id": f"{number}",
            "metadata": {"tags": ["é"]},
            "outputs": [{"name": "stdout", "output_type": "stream", "text": ["ü 😀\n"]}],
            "source": source.splitlines(keepends=True),
        }
        for number, source in enumerate(sources, start=1)
    ]
    info = {"language_info": {"name": "python"}}
    notebook = {"cells": cells, "metadata": info, "nbformat": 4, "nbformat_minor": 5}
    return (json.dumps(notebook, indent=1, ensure_ascii=ascii_only) + "\n").encode()


BAD = written(MODEL, STEP + LOSS)


@pytest.fixture
def notebook(folder):
    """Return a notebook in the current folder that breaks TL807 and TL301 in its third cell."""
    path = folder / "train.ipynb"
    path.write_bytes(BAD)
    return path


def test_notebooks_are_found_beside_python_files(folder, trainlint):
    for name in ("b.ipynb", "a.py", ".ipynb_checkpoints/b-checkpoint.ipynb", "c.txt", "d.ipynb"):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text("")
    (folder / ".gitignore").write_text("d.ipynb\n")
    (folder / ".git").mkdir()
    assert trainlint("check", "--show-files").out.splitlines() == ["a.py", "b.ipynb"]


def test_a_place_is_named_by_cell_line_and_column(trainlint, notebook):
    done = trainlint("check", *RULES, "--output-format", "concise", "-q")
    assert [line.split(" ", 4)[:4] for line in done.out.splitlines()] == [
        ["train.ipynb:cell", "3:6:14:", "warning", "TL807"],
        ["train.ipynb:cell", "3:8:20:", "error", "TL301"],
    ]
    assert (done.code, done.err) == (1, "")
    assert notebook.read_bytes() == BAD


def test_the_frame_shows_the_lines_of_the_cell_and_names_other_cells(folder, trainlint):
    model = "from torch import nn\nimport torch.nn.functional as F\n"
    model += "net = nn.Sequential(nn.Linear(8, 4), nn.Softmax(dim=1))"
    loss = "loss = F.cross_entropy(net(x), y)\nloss.backward()"
    (folder / "n.ipynb").write_bytes(written(model, "x = 1", loss))
    done = trainlint("check", "--select", "TL301")
    frame = done.out[done.out.index("  |") : done.out.index("  = remedy")]
    assert frame.splitlines() == [
        "  |",
        "1 | loss = F.cross_entropy(net(x), y)",
        "  |        ^^^^^^^^^^^^^^^^^^^^^^^^^^ applies the softmax again",
        "2 | loss.backward()",
        "  |",
        " ::: cell 2:3:38",
        "  |",
        "2 | import torch.nn.functional as F",
        "3 | net = nn.Sequential(nn.Linear(8, 4), nn.Softmax(dim=1))",
        "  |                                      ----------------- the first softmax",
        "  |",
    ]


def test_the_preview_of_a_fix_names_the_cells(trainlint, notebook):
    out = trainlint("check", "--select", "TL807").out
    assert out[out.index("fix: ") :].splitlines()[1:-3] == [
        " ::: cell 2",
        "  |",
        "2 | import torch.nn.functional as F",
        "  - from torch.cuda.amp import autocast",
        "3 + from torch.amp import autocast",
        "  |",
        " ::: cell 3",
        "  |",
        "5 |         optimizer.zero_grad()",
        "  -         with autocast():",
        '6 +         with autocast("cuda"):',
        "7 |             outputs = F.softmax(net(inputs), dim=1)",
        "  |",
    ]
    assert notebook.read_bytes() == BAD


def test_json_counts_in_cells(trainlint, notebook):
    done = trainlint("check", *RULES, "--output-format", "json")
    deprecated, softmax = json.loads(done.out)["diagnoses"]
    span = {"cell": 3, "line": 8, "column": 20, "end_line": 8, "end_column": 53}
    assert softmax["span"] == span
    assert [one["span"]["cell"] for one in softmax["related"]] == [3]
    cells = {2: MODEL, 3: STEP + LOSS}
    for edit in deprecated["fix"]["edits"]:
        old = cells[edit["cell"]]
        cells[edit["cell"]] = old[: edit["start"]] + edit["replacement"] + old[edit["end"] :]
    trainlint("check", *RULES, "--fix")
    assert notebook.read_bytes() == written(*cells.values())


@pytest.mark.parametrize(
    ("form", "told"),
    [
        (
            "github",
            "file=train.ipynb,line=1,endLine=1,col=1,endColumn=1::train.ipynb:cell 3:8:20: TL301 ",
        ),
        ("pylint", "train.ipynb:1: [TL301] cell 3:8:20: `F.cross_entropy`"),
        ("azure", "linenumber=1;columnnumber=1;code=TL301;]cell 3:8:20: `F.cross_entropy`"),
        ("grouped", "train.ipynb:\n  cell 3:8:20 error TL301"),
        ("junit", ">cell 3:8:20: `F.cross_entropy`"),
    ],
)
@pytest.mark.usefixtures("notebook")
def test_tools_that_know_no_cells_are_told_them_in_the_message(trainlint, form, told):
    out = trainlint("check", "--select", "TL301", "--output-format", form).out
    assert told in out


@pytest.mark.usefixtures("notebook")
def test_documents_for_tools_have_no_edits_of_the_json(trainlint):
    def document(form):
        return json.loads(trainlint("check", "--select", "TL301", "--output-format", form).out)

    (result,) = document("sarif")["runs"][0]["results"]
    region = {"startLine": 1, "startColumn": 1, "endLine": 1, "endColumn": 1}
    assert result["locations"][0]["physicalLocation"]["region"] == region
    assert result["message"]["text"].startswith("cell 3:8:20: ")
    assert "fixes" not in result
    (told,) = document("rdjson")["diagnostics"]
    assert told["location"]["range"]["start"] == {"line": 1, "column": 1}
    assert told["message"].startswith("cell 3:8:20: ")
    assert "suggestions" not in told
    (issue,) = document("gitlab")
    assert issue["location"]["positions"]["begin"] == {"line": 1, "column": 1}
    assert "cell 3:8:20: " in issue["description"]


def test_a_broken_cell_is_told_with_its_cell_and_line(folder, trainlint):
    (folder / "n.ipynb").write_bytes(written("x = 1\nfor x in\n", MODEL, STEP + LOSS))
    done = trainlint("check", *RULES, "--output-format", "concise", "-q")
    assert done.err == "error: n.ipynb:cell 2:2: syntax error: invalid syntax\n"
    assert (done.code, len(done.out.splitlines())) == (2, 2)
    document = json.loads(trainlint("check", "--output-format", "json").out)
    (failure,) = document["failures"]
    assert failure == {
        "path": "n.ipynb",
        "cell": 2,
        "line": 2,
        "reason": "syntax error: invalid syntax",
    }
    github = trainlint("check", "--output-format", "github", "--select", "TL209").out
    assert github.startswith(
        "::error title=trainlint,file=n.ipynb,line=1::n.ipynb:cell 2:2: syntax"
    )
    pylint = trainlint("check", "--output-format", "pylint", "--select", "TL209").out
    assert pylint == "n.ipynb:1: [failure] cell 2:2: syntax error: invalid syntax\n"


@pytest.mark.parametrize(("data", "code"), [(b"", 0), (b"{", 2), (b'{"cells": []}', 0), (b"3", 2)])
def test_a_broken_notebook_is_one_line_and_an_empty_one_none(folder, trainlint, data, code):
    (folder / "n.ipynb").write_bytes(data)
    done = trainlint("check", "-q")
    assert (done.code, done.out) == (code, "")
    assert done.err.count("\n") == (code == 2)
    assert "Traceback" not in done.err


# -- fixes --------------------------------------------------------------------------------------

SAFE = (
    MODEL.replace("torch.cuda.amp", "torch.amp"),
    STEP.replace("autocast()", 'autocast("cuda")') + LOSS,
)
MENDED = (SAFE[0], SAFE[1].replace("F.softmax(net(inputs), dim=1)", "net(inputs)"))


@pytest.mark.parametrize("ascii_only", [True, False])
def test_fixes_change_the_sources_and_not_a_byte_more(trainlint, notebook, ascii_only):
    notebook.write_bytes(written(MODEL, STEP + LOSS, ascii_only=ascii_only))
    done = trainlint("check", *RULES, "--fix", "-q")
    assert (done.code, done.err) == (1, "")
    assert notebook.read_bytes() == written(*SAFE, ascii_only=ascii_only)
    assert trainlint("check", *RULES, "--fix", "--unsafe-fixes").code == 0
    assert notebook.read_bytes() == written(*MENDED, ascii_only=ascii_only)


def test_a_fix_leaves_a_broken_cell_as_it_is(trainlint, notebook):
    notebook.write_bytes(written("x = (\n!ls", MODEL, STEP + LOSS))
    done = trainlint("check", *RULES, "--fix", "--unsafe-fixes")
    assert (done.code, done.err.count("\n")) == (2, 1)
    assert notebook.read_bytes() == written("x = (\n!ls", *MENDED)


def test_the_diff_is_one_of_cells(trainlint, notebook):
    done = trainlint("check", *RULES, "--diff")
    assert done.out.splitlines() == [
        "--- train.ipynb:cell 2",
        "+++ train.ipynb:cell 2",
        "@@ -1,3 +1,3 @@",
        " # é",
        " import torch.nn.functional as F",
        "-from torch.cuda.amp import autocast",
        "+from torch.amp import autocast",
        "--- train.ipynb:cell 3",
        "+++ train.ipynb:cell 3",
        "@@ -3,7 +3,7 @@",
        "     net.train()",
        "     for inputs, targets in loader:",
        "         optimizer.zero_grad()",
        "-        with autocast():",
        '+        with autocast("cuda"):',
        "             outputs = F.softmax(net(inputs), dim=1)",
        "             loss = F.cross_entropy(outputs, targets)",
        "         loss.backward()",
    ]
    assert notebook.read_bytes() == BAD


def test_standard_input_may_be_a_notebook(trainlint):
    arguments = ("check", "-", "--stdin-filename", "x.ipynb", *RULES)
    done = trainlint(*arguments, "--output-format", "concise", "-q", stdin=BAD)
    assert re.findall(r"^x\.ipynb:cell 3:\d+:\d+", done.out, re.MULTILINE) == [
        "x.ipynb:cell 3:6:14",
        "x.ipynb:cell 3:8:20",
    ]


def test_standard_input_is_fixed_as_the_file_would_be(trainlint):
    arguments = ("check", "-", "--stdin-filename", "x.ipynb", *RULES, "--fix-only")
    done = trainlint(*arguments, "--unsafe-fixes", stdin=BAD)
    assert (done.code, done.out.encode()) == (0, written(*MENDED))


def test_notebooks_and_files_are_fixed_side_by_side(folder, trainlint, notebook):
    script = folder / "script.py"
    script.write_text(MODEL + STEP.removeprefix("%%time\n") + LOSS)
    assert trainlint("check", *RULES, "--fix", "--unsafe-fixes", "-q").code == 0
    assert notebook.read_bytes() == written(*MENDED)
    assert script.read_text() == (MENDED[0] + MENDED[1]).replace("%%time\n", "")


def test_comments_are_added_to_cells(trainlint, notebook):
    assert trainlint("check", *RULES, "--add-noqa").code == 0
    assert trainlint("check", *RULES).code == 0
    assert b"# noqa: TL807" in notebook.read_bytes()
    sources = ["".join(cell["source"]) for cell in json.loads(notebook.read_bytes())["cells"][1:]]
    assert notebook.read_bytes() == written(*sources)
    assert re.sub(r"  # noqa: TL\d+", "", sources[1]) == STEP + LOSS
