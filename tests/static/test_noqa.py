"""`--add-noqa` silences everything, changes nothing else, and has nothing to do the second time."""

from __future__ import annotations

import codecs
import json
import os
import stat

import pytest

from trainlint.core.config import Config, Selection, resolve
from trainlint.static.engine import lint_file
from trainlint.static.noqa import add_noqa

HEAD = """\
import torch.nn.functional as F


def f(net, x, y):
    p = F.softmax(net(x), dim=1)
"""
LOSS = "F.cross_entropy(p, y)"
"""Breaks TL301 behind the head."""


@pytest.fixture(scope="module")
def settings(catalogue):
    """Return the settings in which TL301 and unused-suppression are on."""
    selection = Selection("a test", select=("TL301", "TL001"))
    return resolve(catalogue, Config(selection=selection))


@pytest.fixture
def silence(settings, tmp_path):
    """Return a function that silences what is in a file of some bytes, and returns the bytes then."""

    def run(data, name="f.py"):
        path = tmp_path / name
        path.write_bytes(data)
        done = add_noqa([lint_file(str(path), settings)], settings.known)
        assert (done.failures, done.left) == ([], [])
        after = path.read_bytes()
        report = lint_file(str(path), settings)
        assert [one.code for one in report.diagnoses if one.code != "TL001"] == []
        again = add_noqa([report], settings.known)
        assert (again.comments, again.files) == (0, 0)
        assert path.read_bytes() == after
        return after

    return run


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (LOSS, f"{LOSS}  # noqa: TL301"),
        (f"{LOSS}  ", f"{LOSS}  # noqa: TL301"),
        (f"{LOSS}  # why", f"{LOSS}  # why  # noqa: TL301"),
        (f"{LOSS}  # noqa: E501", f"{LOSS}  # noqa: E501, TL301"),
        (f"{LOSS}  # noqa: E501 because", f"{LOSS}  # noqa: E501, TL301 because"),
        (f"{LOSS}  #noqa:E501,W291", f"{LOSS}  #noqa:E501,W291, TL301"),
        (f"{LOSS}  # noqa: E501  # why", f"{LOSS}  # noqa: E501, TL301  # why"),
        (
            f"{LOSS}  # trainlint: ignore[TL302] x",
            f"{LOSS}  # trainlint: ignore[TL302] x  # noqa: TL301",
        ),
        (f"{LOSS}  # ends in \\", f"{LOSS}  # ends in \\  # noqa: TL301"),
        (f"a = 1; {LOSS}", f"a = 1; {LOSS}  # noqa: TL301"),
        (f"{LOSS}; {LOSS}", f"{LOSS}; {LOSS}  # noqa: TL301"),
        (f"{LOSS}  # noqa", f"{LOSS}  # noqa"),
        (f"{LOSS}  # trainlint: ignore", f"{LOSS}  # trainlint: ignore"),
        # Where the line of the diagnosis has no room, the last line of the statement has.
        (f'{LOSS}, """\n"""', f'{LOSS}, """\n"""  # noqa: TL301'),
        (f'{LOSS}, f"""\n{{p}}\n"""', f'{LOSS}, f"""\n{{p}}\n"""  # noqa: TL301'),
        (f"{LOSS}, \\\n    1", f"{LOSS}, \\\n    1  # noqa: TL301"),
        (
            f"if {LOSS} and \\\n    p:\n        g()",
            f"if {LOSS} and \\\n    p:  # noqa: TL301\n        g()",
        ),
        (
            "F.cross_entropy(\n        p,\n        y,\n    )",
            "F.cross_entropy(  # noqa: TL301\n        p,\n        y,\n    )",
        ),
    ],
)
def test_a_comment_is_added_or_added_to(silence, line, expected):
    assert silence(f"{HEAD}    {line}\n".encode()).decode() == f"{HEAD}    {expected}\n"


def test_a_comment_with_text_in_it_is_no_comment(silence):
    line = f'{LOSS}, "# noqa: E501"'
    assert silence(f"{HEAD}    {line}\n".encode()).decode() == f"{HEAD}    {line}  # noqa: TL301\n"


def test_several_rules_on_a_line_share_a_comment(catalogue, tmp_path):
    path = tmp_path / "f.py"
    load = "torch.load('a', weights_only=False)"
    text = f"import torch\n{HEAD}    return F.cross_entropy(p, {load}), {load}"
    path.write_text(f"{text}\n")
    settings = resolve(catalogue, Config(selection=Selection("a test", ("TL712", "TL301"))))
    report = lint_file(str(path), settings)
    assert [one.code for one in report.diagnoses] == ["TL301", "TL712", "TL712"]
    done = add_noqa([report], settings.known)
    assert (done.comments, done.files) == (1, 1)
    assert path.read_text() == f"{text}  # noqa: TL301, TL712\n"


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("last", ["", "end"])
def test_line_ends_are_kept(silence, end, last):
    code = f"{HEAD}    {LOSS}\n# x".replace("\n", end) + (end if last else "")
    expected = code.replace(f"{LOSS}", f"{LOSS}  # noqa: TL301")
    assert silence(code.encode()) == expected.encode()


def test_the_last_line_need_not_have_an_end(silence):
    assert silence(f"{HEAD}    {LOSS}".encode()) == f"{HEAD}    {LOSS}  # noqa: TL301".encode()


def test_a_byte_order_mark_and_an_encoding_are_kept(silence):
    code = f"{HEAD}    {LOSS}, 'é中😀'\n"
    after = silence(codecs.BOM_UTF8 + code.encode())
    assert after == codecs.BOM_UTF8 + code.replace("😀'", "😀'  # noqa: TL301").encode()
    code = f"# coding: latin-1\n{HEAD}    {LOSS}, 'é'\n"
    after = silence(code.encode("latin-1"))
    assert after == code.replace("é'", "é'  # noqa: TL301").encode("latin-1")


def test_what_is_unused_is_not_silenced(settings, tmp_path):
    path = tmp_path / "f.py"
    path.write_text("import torch\nx = 1  # noqa: TL301\n")
    report = lint_file(str(path), settings)
    assert [one.code for one in report.diagnoses] == ["TL001"]
    assert add_noqa([report], settings.known).comments == 0


def test_links_and_permissions_are_kept(settings, tmp_path):
    path = tmp_path / "f.py"
    path.write_text(f"{HEAD}    {LOSS}\n")
    path.chmod(0o640)
    (tmp_path / "link.py").symlink_to("f.py")
    report = lint_file(str(tmp_path / "link.py"), settings)
    assert add_noqa([report], settings.known).files == 1
    assert (tmp_path / "link.py").is_symlink()
    assert stat.S_IMODE(os.stat(path).st_mode) == 0o640
    assert path.read_text().endswith("# noqa: TL301\n")
    assert sorted(os.listdir(tmp_path)) == ["f.py", "link.py"]


def test_a_file_that_may_not_be_written_is_a_failure_and_stays(settings, tmp_path):
    path = tmp_path / "f.py"
    path.write_text(f"{HEAD}    {LOSS}\n")
    path.chmod(0o444)
    done = add_noqa([lint_file(str(path), settings)], settings.known)
    assert [one.reason for one in done.failures] == ["cannot be written: it is read-only"]
    assert (done.files, path.read_text()) == (0, f"{HEAD}    {LOSS}\n")


def test_a_file_in_an_encoding_that_has_several_ways_is_left_alone(settings, tmp_path):
    path = tmp_path / "f.py"
    data = f"# coding: utf-7\n{HEAD}    {LOSS}, '+AOk-+AOk-'\n".encode()
    path.write_bytes(data)
    done = add_noqa([lint_file(str(path), settings)], settings.known)
    assert len(done.failures) == 1
    assert path.read_bytes() == data


def test_what_no_comment_can_silence_is_told(settings, tmp_path):
    path = tmp_path / "f.py"
    # The one line of the loss ends inside of the text of the next statement.
    text = f'{HEAD}    {LOSS}; g = """\n    """\n'
    path.write_text(text)
    done = add_noqa([lint_file(str(path), settings)], settings.known)
    assert [one.code for one in done.left] == ["TL301"]
    assert (done.files, path.read_text()) == (0, text)


def test_a_notebook_gets_its_comments_in_its_cells(settings, tmp_path):
    cells = [
        {"cell_type": "markdown", "metadata": {}, "source": ["# noqa\n"]},
        {
            "cell_type": "code",
            "execution_count": 3,
            "metadata": {},
            "outputs": [],
            "source": [f"{line}\n" for line in HEAD.splitlines()] + [f"    {LOSS}\n", "    # x"],
        },
    ]
    document = {"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
    path = tmp_path / "n.ipynb"
    path.write_text(json.dumps(document, indent=1))
    before = path.read_text()
    report = lint_file(str(path), settings)
    assert add_noqa([report], settings.known).comments == 1
    assert path.read_text() == before.replace(f"{LOSS}\\n", f"{LOSS}  # noqa: TL301\\n")
    assert lint_file(str(path), settings).diagnoses == []
