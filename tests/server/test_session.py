"""A session over pipes: what is open is linted as it is typed, with the other files of the workspace."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import time

import pytest

from trainlint.core.hierarchy import Hierarchy
from trainlint.server.workspace import Workspace

pytest.importorskip("pygls", reason="the extra `server` is not installed")

from trainlint.server.session import Session

MODEL = """\
from torch import nn
import torch.nn.functional as F


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.head = nn.Linear(4, 2)

    def forward(self, x):
        return F.softmax(self.head(x), dim=1)
"""
LOGITS = MODEL.replace("F.softmax(self.head(x), dim=1)", "self.head(x)")
TRAIN = """\
import torch.nn.functional as F
from model import Net

net = Net()


def train(optimizer, loader):
    for inputs, targets in loader:
        optimizer.zero_grad()
        loss = F.cross_entropy(net(inputs), targets)
        loss.backward()
        optimizer.step()
"""
"""With the model breaks TL301 in line 10 (9 as the protocol counts)."""

LSTM = "from torch import nn\n\nrnn = nn.LSTM(16, 32, dropout=0.3)\n"
"""Breaks TL212, whose fix is safe."""


def codes(diagnostics):
    """Return the lines, from 0, and the codes of diagnostics."""
    return [(one["range"]["start"]["line"], one.get("code")) for one in diagnostics]


@pytest.fixture
def two_files(tmp_path):
    """Write a model and its training."""
    (tmp_path / "model.py").write_text(MODEL)
    (tmp_path / "train.py").write_text(TRAIN)
    return tmp_path


def test_the_server_says_what_it_can_do(editor):
    able = editor.initialize()
    assert able["positionEncoding"] == "utf-16"
    assert able["textDocumentSync"] == {"openClose": True, "change": 1, "save": True}
    assert able["hoverProvider"] is True
    assert able["codeActionProvider"]["codeActionKinds"] == [
        "quickfix",
        "source.fixAll.trainlint",
        "notebook.source.fixAll.trainlint",
    ]
    assert editor.leave() == 0


@pytest.mark.usefixtures("two_files")
def test_opening_a_file_shows_its_diagnoses_with_their_related_places(editor):
    editor.initialize()
    (found,) = editor.open("train.py")
    published = editor.messages[-1]["params"]
    assert (published["uri"], published["version"]) == (editor.uri("train.py"), 1)
    assert found["range"] == {
        "start": {"line": 9, "character": 15},
        "end": {"line": 9, "character": 52},
    }
    assert (found["severity"], found["code"], found["source"]) == (1, "TL301", "trainlint")
    message, remedy = found["message"].split("\n")
    assert "applies the softmax itself" in message
    assert remedy.startswith("Hand the logits to the loss")
    (related,) = found["relatedInformation"]
    assert related["location"] == {
        "uri": editor.uri("model.py"),
        "range": {"start": {"line": 10, "character": 15}, "end": {"line": 10, "character": 45}},
    }
    assert related["message"] == "the first softmax"
    assert "codeDescription" not in found
    assert editor.leave() == 0


def test_the_text_in_the_editor_is_linted_and_not_the_one_on_disk(editor, two_files):
    editor.initialize()
    (two_files / "train.py").write_text("")
    assert codes(editor.open("train.py", TRAIN)) == [(9, "TL301")]
    editor.change("train.py", TRAIN.replace("        optimizer.zero_grad()\n", ""))
    assert codes(editor.diagnostics("train.py")) == [(8, "TL301"), (10, "TL501")]
    editor.change("train.py", "import torch\n")
    assert editor.diagnostics("train.py") == []


def test_a_file_follows_what_is_typed_in_the_one_that_it_imports(editor, two_files):
    editor.initialize()
    assert codes(editor.open("train.py")) == [(9, "TL301")]
    assert editor.open("model.py") == []
    for _ in range(2):
        editor.change("model.py", MODEL)
        editor.follow("train.py", ["TL301"])
        editor.change("model.py", LOGITS)
        editor.follow("train.py", [])
    # Thrown away: the disk has the softmax still.
    editor.close("model.py")
    editor.follow("train.py", ["TL301"])
    assert (two_files / "model.py").read_text() == MODEL


def test_a_file_follows_what_is_saved_in_the_one_that_it_imports(editor, two_files):
    editor.initialize()
    editor.open("model.py")
    assert codes(editor.open("train.py")) == [(9, "TL301")]
    editor.change("model.py", LOGITS)
    editor.follow("train.py", [])
    editor.save("model.py")
    editor.follow("train.py", [])
    editor.close("model.py")
    editor.follow("train.py", [])
    assert (two_files / "model.py").read_text() == LOGITS


def test_a_file_follows_what_changes_on_disk(editor, two_files):
    abilities = {"workspace": {"didChangeWatchedFiles": {"dynamicRegistration": True}}}
    editor.initialize(abilities)
    asked = editor.wait(lambda one: one.get("method") == "client/registerCapability")
    (registration,) = asked["params"]["registrations"]
    globs = [one["globPattern"] for one in registration["registerOptions"]["watchers"]]
    assert {"**/*.py", "**/pyproject.toml", "**/trainlint.toml"} <= set(globs)
    assert codes(editor.open("train.py")) == [(9, "TL301")]

    def told(name, kind):
        event = {"uri": editor.uri(name), "type": kind}
        editor.notify("workspace/didChangeWatchedFiles", {"changes": [event]})
        return codes(editor.diagnostics("train.py"))

    (two_files / "model.py").write_text(LOGITS)
    assert told("model.py", 2) == []
    (two_files / "model.py").unlink()
    assert told("model.py", 3) == []
    (two_files / "model.py").write_text(MODEL)
    assert told("model.py", 1) == [(9, "TL301")]


def test_a_file_that_changes_on_disk_is_seen_by_the_next_change_without_being_told(
    editor, two_files
):
    editor.initialize({})
    assert codes(editor.open("train.py")) == [(9, "TL301")]
    (two_files / "model.py").write_text(LOGITS)
    editor.change("train.py", TRAIN + "\n")
    assert editor.diagnostics("train.py") == []


@pytest.mark.usefixtures("two_files")
def test_closing_a_file_clears_its_diagnoses(editor):
    editor.initialize()
    assert editor.open("train.py")
    editor.close("train.py")
    uri = editor.uri("train.py")
    assert editor.wait(lambda one: one["params"]["uri"] == uri)["params"]["diagnostics"] == []
    assert editor.leave() == 0


@pytest.mark.usefixtures("two_files")
def test_fast_typing_is_linted_once_it_rests(start):
    editor = start("--debounce", "400")
    editor.initialize()
    editor.open("train.py")
    before = len(editor.messages)
    for number in range(50):
        editor.change("train.py", TRAIN + f"# {number}\n")
    started = time.monotonic()
    assert codes(editor.diagnostics("train.py")) == [(9, "TL301")]
    assert time.monotonic() - started > 0.35
    assert len(editor.messages) == before + 1
    assert editor.messages[-1]["params"]["version"] == 51


def test_what_is_broken_is_said_and_forgotten_once_it_is_mended(editor, two_files):
    editor.initialize()
    assert codes(editor.open("train.py")) == [(9, "TL301")]
    broken = TRAIN.replace("loss.backward()", "loss.backward(")
    editor.change("train.py", broken)
    (found,) = editor.diagnostics("train.py")
    assert found["message"].startswith("syntax error: ")
    assert (found["severity"], found["source"]) == (1, "trainlint")
    assert found["range"]["start"]["line"] == 10
    assert editor.hover("train.py", 9, 20) is None
    assert editor.actions("train.py", found["range"]) == []
    editor.change("train.py", TRAIN)
    assert codes(editor.diagnostics("train.py")) == [(9, "TL301")]
    # A broken import is taken as it was when it was whole.
    editor.open("model.py")
    editor.change("model.py", LOGITS)
    editor.follow("train.py", [])
    editor.change("model.py", LOGITS + "def f(:\n")
    editor.follow("train.py", [])
    for text in ("\0", "x = '\ud800'\n", "((((" * 5000, "\ufeff\ufeff"):
        editor.change("train.py", text)
        (found,) = editor.diagnostics("train.py")
        assert found["severity"] == 1
    assert (two_files / "train.py").read_text() == TRAIN
    assert editor.leave() == 0


def test_the_configuration_of_each_file_is_the_nearest_and_is_read_again(editor, two_files):
    (two_files / "trainlint.toml").write_text('ignore = ["TL301"]\n')
    inner = two_files / "inner"
    inner.mkdir()
    (inner / "model.py").write_text(MODEL)
    (inner / "train.py").write_text(TRAIN)
    (inner / "pyproject.toml").write_text('[tool.trainlint.severity]\nTL301 = "advice"\n')
    editor.initialize()
    assert editor.open("train.py") == []
    assert editor.open("inner/train.py") == []
    (inner / "pyproject.toml").write_text('[tool.trainlint.severity]\nTL301 = "warning"\n')
    editor.change("inner/train.py", TRAIN + "\n")
    (found,) = editor.diagnostics("inner/train.py")
    assert found["severity"] == 2
    (inner / "pyproject.toml").write_text(
        '[tool.trainlint]\nextend-select = ["TL301"]\nseverity = {TL301 = "advice"}\n'
    )
    editor.change("inner/train.py", TRAIN + "\n\n")
    (found,) = editor.diagnostics("inner/train.py")
    assert found["severity"] == 3
    (inner / "pyproject.toml").unlink()
    editor.change("inner/train.py", TRAIN)
    assert editor.diagnostics("inner/train.py") == []


def test_a_broken_configuration_is_told_once_and_its_mending_is_noticed(editor, two_files):
    config = two_files / "trainlint.toml"
    config.write_text("ignor = []\n")
    editor.initialize()
    assert editor.open("train.py") == []
    (two_files / "inner").mkdir()
    (two_files / "inner" / "pyproject.toml").write_text("[tool.trainlint]\n")
    for text in (TRAIN + "\n", TRAIN):
        # Another file, for which all is well, is no reason to tell it again.
        assert codes(editor.open("inner/rnn.py", LSTM)) == [(2, "TL212")]
        editor.close("inner/rnn.py")
        editor.change("train.py", text)
        assert editor.diagnostics("train.py") == []
    told = [one["params"] for one in editor.messages if one.get("method") == "window/showMessage"]
    line = f"trainlint: {config}: no setting is called `ignor`; did you mean `ignore`?"
    assert told == [{"type": 1, "message": line}]
    config.write_text("ignore = []\n")
    editor.change("train.py", TRAIN + "\n")
    assert codes(editor.diagnostics("train.py")) == [(9, "TL301")]
    assert editor.leave() == 0


def test_options_of_the_command_come_upon_the_configurations(start, two_files):
    (two_files / "trainlint.toml").write_text('select = ["TL501"]\n')
    editor = start("--extend-select", "TL301", "--config", "severity = {TL301 = 'warning'}")
    editor.initialize()
    (found,) = editor.open("train.py")
    assert (found["code"], found["severity"]) == ("TL301", 2)
    editor = start("--isolated")
    editor.initialize()
    (found,) = editor.open("train.py")
    assert found["severity"] == 1


def test_what_the_configured_baseline_knows_is_silent(editor, two_files):
    known = two_files / "known.json"
    (two_files / "trainlint.toml").write_text('baseline = "known.json"\n')
    text = "F.cross_entropy(net(inputs), targets)"
    entry = {"train.py": {"softmax-before-cross-entropy": {text: 1}}}
    known.write_text(json.dumps({"version": 1, "diagnoses": entry}))
    editor.initialize()
    assert editor.open("train.py") == []
    editor.change("train.py", TRAIN.replace("        optimizer.zero_grad()\n", ""))
    assert codes(editor.diagnostics("train.py")) == [(10, "TL501")]
    known.write_text("{}")
    editor.change("train.py", TRAIN)
    assert editor.diagnostics("train.py") == []
    told = [one["params"]["message"] for one in editor.messages if "showMessage" in str(one)]
    assert len(told) == 1
    assert told[0].startswith("trainlint: ")
    assert told[0].endswith("known.json: is no baseline: it has no `version`")


def test_what_the_configuration_leaves_out_is_silent(editor, two_files):
    (two_files / "trainlint.toml").write_text('extend-exclude = ["third/"]\n')
    for folder in ("third", "fourth", "venv/lib/site-packages"):
        (two_files / folder).mkdir(parents=True)
        (two_files / folder / "rnn.py").write_text(LSTM)
    editor.initialize()
    assert editor.open("third/rnn.py") == []
    assert editor.open("venv/lib/site-packages/rnn.py") == []
    assert codes(editor.open("fourth/rnn.py")) == [(2, "TL212")]


def test_a_workspace_in_a_folder_with_an_excluded_name_is_linted(editor, tmp_path):
    root = tmp_path / "build" / "mine"
    root.mkdir(parents=True)
    (root / "rnn.py").write_text(LSTM)
    editor.initialize(workspaceFolders=[{"uri": root.as_uri(), "name": "mine"}])
    assert codes(editor.open("build/mine/rnn.py")) == [(2, "TL212")]


def test_without_a_folder_a_file_is_linted_alone_and_with_what_else_is_open(editor, two_files):
    editor.initialize(rootUri=None, workspaceFolders=None)
    assert editor.open("train.py") == []
    editor.open("model.py")
    assert codes(editor.diagnostics("train.py")) == [(9, "TL301")]
    assert sorted(path.name for path in two_files.iterdir()) == ["model.py", "train.py"]


def test_a_document_that_was_never_saved_is_linted(editor, two_files):
    editor.initialize()
    (found,) = editor.open("untitled:Untitled-1", TRAIN)
    assert found["code"] == "TL301"
    assert found["relatedInformation"][0]["location"]["uri"] == (two_files / "model.py").as_uri()
    assert editor.open("notyet.py", LSTM)[0]["code"] == "TL212"


def test_other_documents_are_left_alone(editor, tmp_path):
    editor.initialize()
    for uri, language in (
        ("git:/rnn.py?ref", "python"),
        ((tmp_path / "book.ipynb").as_uri(), "python"),
        ((tmp_path / "notes.txt").as_uri(), "plaintext"),
    ):
        document = {"uri": uri, "languageId": language, "version": 1, "text": LSTM}
        editor.notify("textDocument/didOpen", {"textDocument": document})
    assert editor.open("rnn.py", LSTM)
    published = [one["params"]["uri"] for one in editor.messages if "params" in one]
    assert published == [editor.uri("rnn.py")]


def test_names_with_blanks_and_other_letters_are_found_in_both_directions(editor, tmp_path):
    folder = tmp_path / "größe 100%"
    folder.mkdir()
    (folder / "model.py").write_text(MODEL)
    (folder / "train it.py").write_text(TRAIN)
    editor.initialize()
    (found,) = editor.open("größe 100%/train it.py")
    assert found["relatedInformation"][0]["location"]["uri"] == (folder / "model.py").as_uri()


def test_a_site_makes_the_code_a_link(start):
    editor = start(TRAINLINT_SITE="https://example.org/docs")
    editor.initialize()
    (found,) = editor.open("rnn.py", LSTM)
    address = "https://example.org/docs/rules/activation/rnn-dropout-single-layer/"
    assert found["codeDescription"] == {"href": address}


@pytest.mark.usefixtures("two_files")
def test_a_client_that_knows_little_gets_little(start):
    editor = start(TRAINLINT_SITE="https://example.org/docs")
    editor.initialize({})
    (found,) = editor.open("train.py")
    assert found.keys() == {"range", "severity", "code", "source", "message"}
    (action, *_) = editor.actions("train.py", found["range"])
    assert list(action["edit"]["changes"]) == [editor.uri("train.py")]


def test_a_comment_of_no_use_fades(start):
    editor = start("--extend-select", "TL001")
    editor.initialize()
    (found,) = editor.open("rnn.py", "import torch  # noqa: TL212\n")
    assert (found["code"], found["severity"], found["tags"]) == ("TL001", 3, [1])


def test_hovering_over_a_diagnosis_shows_the_page_of_its_rule(editor):
    editor.initialize()
    (found,) = editor.open("rnn.py", LSTM)
    shown = editor.hover("rnn.py", 2, found["range"]["start"]["character"] + 1)
    assert shown["range"] == found["range"]
    assert shown["contents"]["kind"] == "markdown"
    page = shown["contents"]["value"]
    assert page.startswith("# TL212 rnn-dropout-single-layer\n")
    assert "## Good\n\n```python\n" in page
    assert editor.hover("rnn.py", 0, 3) is None
    assert editor.hover("gone.py", 0, 3) is None


def test_hovering_waits_for_the_text_that_is_there_now(start):
    editor = start("--debounce", "5000")
    editor.initialize()
    assert editor.open("rnn.py", "import torch\n") == []
    editor.change("rnn.py", LSTM)
    place = LSTM.splitlines()[2].index("0.3")
    assert editor.hover("rnn.py", 2, place) is not None
    editor.change("rnn.py", "import torch\n" + LSTM)
    assert editor.hover("rnn.py", 2, place) is None
    assert editor.hover("rnn.py", 3, place) is not None


def test_a_message_that_makes_no_sense_ends_nothing(editor):
    editor.initialize()
    editor.raw(b"Content-Length: 5\r\n\r\n{]}xx")
    editor.raw(b"Content-Length: 4\r\n\r\nnull")
    editor.notify("textDocument/didChange", {"textDocument": 5})
    editor.notify("unheard/of", {})
    editor.send({"id": "x", "method": "unheard/of", "params": {}})
    answer = editor.wait(lambda one: one.get("id") == "x")
    assert answer["error"]["code"] == -32601
    gone = {"textDocument": {"uri": editor.uri("gone.py"), "version": 3}, "contentChanges": []}
    editor.notify("textDocument/didChange", gone)
    editor.notify("textDocument/didClose", {"textDocument": {"uri": editor.uri("gone.py")}})
    assert codes(editor.open("rnn.py", LSTM)) == [(2, "TL212")]
    assert editor.leave() == 0


def test_a_document_whose_path_no_system_has_stops_no_other(editor):
    editor.initialize()
    for uri in ("file:///a%00b/c.py", "", "file://", "untitled:"):
        document = {"uri": uri, "languageId": "python", "version": 1, "text": LSTM}
        editor.notify("textDocument/didOpen", {"textDocument": document})
    assert codes(editor.open("rnn.py", LSTM)) == [(2, "TL212")]
    assert editor.leave() == 0


def test_a_failure_of_ours_with_one_document_is_told_once_and_stops_no_other(
    catalogue, monkeypatch
):
    session = Session(Workspace(catalogue, lambda: Hierarchy(catalogue)), debounce=0)
    linted, told = [], []

    async def lint(uri):
        if uri == "bad":
            msg = "of ours"
            raise ValueError(msg)
        linted.append(uri)

    monkeypatch.setattr(session, "_documents", dict)
    monkeypatch.setattr(session, "_lint", lint)
    monkeypatch.setattr(session, "window_show_message", lambda said: told.append(said.message))
    for _ in range(2):
        session._pending |= dict.fromkeys(("bad", "good"))
        asyncio.run(session._lint_pending())
    session.stop_linting()
    assert linted == ["good", "good"]
    assert told == ["trainlint failed (ValueError: of ours); this is a bug of trainlint"]


def test_the_exit_code_says_whether_the_editor_took_leave(start):
    polite, rude, lost = start(), start(), start()
    for editor in (polite, rude, lost):
        editor.initialize()
    assert polite.leave() == 0
    assert rude.leave(politely=False) == 1
    assert lost.process.stdin is not None
    lost.process.stdin.close()
    assert lost.ended() == 1


@pytest.mark.usefixtures("two_files")
def test_leaving_while_there_is_work_is_quiet(start):
    editor = start("--debounce", "0")
    editor.initialize()
    editor.open("train.py")
    for number in range(20):
        editor.change("train.py", TRAIN * 50 + f"# {number}\n")
    assert editor.leave() == 0


def test_an_editor_that_vanishes_is_no_traceback(tmp_path):
    # It closes its end of the pipe from which it reads, and then what it writes to.
    reading, writing = os.pipe()
    with subprocess.Popen(
        [sys.executable, "-m", "trainlint", "server", "--debounce", "0"],
        cwd=tmp_path,
        stdin=subprocess.PIPE,
        stdout=writing,
        stderr=subprocess.PIPE,
    ) as process:
        os.close(writing)
        os.close(reading)
        body = (
            b'{"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {"capabilities": {}}}'
        )
        _, err = process.communicate(b"Content-Length: %d\r\n\r\n%s" % (len(body), body), 30)
    assert (process.returncode, err) == (1, b"")
