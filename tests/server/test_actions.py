"""What the editor offers to do gives the text that it promises."""

from __future__ import annotations

import pytest

pytest.importorskip("pygls", reason="the extra `server` is not installed")

LSTM = "from torch import nn\n\nrnn = nn.LSTM(16, 32, dropout=0.3)\n"
MENDED = "from torch import nn\n\nrnn = nn.LSTM(16, 32)\n"
SOFTMAX = """\
import torch.nn.functional as F


def loss_of(net, inputs, targets):
    outputs = F.softmax(net(inputs), dim=1)
    return F.cross_entropy(outputs, targets)
"""
EVERYWHERE = {"start": {"line": 0, "character": 0}, "end": {"line": 999, "character": 0}}
LATER = {
    "textDocument": {
        "codeAction": {"dataSupport": True, "resolveSupport": {"properties": ["edit"]}}
    },
    "workspace": {"workspaceEdit": {"documentChanges": True}},
}


def titled(actions, words):
    """Return the only action that has some words in its title."""
    (found,) = [one for one in actions if words in one["title"]]
    return found


def test_a_safe_fix_is_preferred_and_gives_the_mended_text(editor):
    editor.initialize()
    (found,) = editor.open("rnn.py", LSTM)
    action, *_ = editor.actions("rnn.py", found["range"])
    assert (action["kind"], action["isPreferred"]) == ("quickfix", True)
    assert action["diagnostics"] == [found]
    assert "unsafe" not in action["title"]
    assert editor.apply("rnn.py", action) == MENDED
    editor.change("rnn.py", editor.apply("rnn.py", action))
    assert editor.diagnostics("rnn.py") == []


def test_an_unsafe_fix_says_so_and_is_not_preferred(editor):
    editor.initialize()
    (found,) = editor.open("loss.py", SOFTMAX)
    action, *_ = editor.actions("loss.py", found["range"])
    assert action["title"].endswith(" (unsafe: it changes the training or its checkpoints)")
    assert not action.get("isPreferred")
    mended = SOFTMAX.replace("F.softmax(net(inputs), dim=1)", "net(inputs)")
    assert editor.apply("loss.py", action) == mended


def test_safe_fixes_stand_before_unsafe_ones_and_comments_last(editor):
    editor.initialize()
    both = SOFTMAX + "\n\n" + LSTM
    editor.open("both.py", both)
    offered = editor.actions("both.py", EVERYWHERE, "quickfix")
    assert [one.get("isPreferred") for one in offered] == [True, False, None, None]
    assert [one["title"] for one in offered[2:]] == [
        "Silence TL301 on this line",
        "Silence TL212 on this line",
    ]


def test_only_the_diagnoses_in_the_range_are_mended(editor):
    editor.initialize()
    editor.open("both.py", SOFTMAX + "\n\n" + LSTM)
    first_line = {"start": {"line": 0, "character": 0}, "end": {"line": 0, "character": 5}}
    assert editor.actions("both.py", first_line, "quickfix") == []
    inside = {"line": 5, "character": 20}
    offered = editor.actions("both.py", {"start": inside, "end": inside}, "quickfix")
    assert {one["diagnostics"][0]["code"] for one in offered} == {"TL301"}


def test_all_safe_fixes_are_made_at_once_and_no_other(editor):
    editor.initialize()
    text = SOFTMAX + "\n\n" + LSTM + "# between\n" + LSTM.replace("rnn", "other")
    editor.open("all.py", text)
    (action,) = editor.actions("all.py", EVERYWHERE, "source.fixAll")
    assert action["kind"] == "source.fixAll.trainlint"
    mended = text.replace(", dropout=0.3", "")
    assert editor.apply("all.py", action) == mended
    assert len(action["edit"]["documentChanges"][0]["edits"]) == 2
    # Nothing has been changed by the asking.
    assert len(editor.actions("all.py", EVERYWHERE, "source.fixAll.trainlint")) == 1
    editor.change("all.py", mended)
    assert [one["code"] for one in editor.diagnostics("all.py")] == ["TL301"]
    assert editor.actions("all.py", EVERYWHERE, "source.fixAll") == []


def test_asking_for_all_fixes_does_not_change_what_other_files_see(editor, tmp_path):
    (tmp_path / "train.py").write_text("from rnn import rnn\n" + SOFTMAX)
    editor.initialize()
    editor.open("train.py")
    editor.open("rnn.py", LSTM)
    (action,) = editor.actions("rnn.py", EVERYWHERE, "source.fixAll")
    assert editor.apply("rnn.py", action) == MENDED
    editor.change("rnn.py", LSTM + "\n")
    assert [one["code"] for one in editor.diagnostics("rnn.py")] == ["TL212"]


def test_only_the_kinds_that_are_asked_for_are_offered(editor):
    editor.initialize()
    editor.open("rnn.py", LSTM)
    for only, kinds in (
        ((), {"quickfix", "source.fixAll.trainlint"}),
        (("quickfix",), {"quickfix"}),
        (("source",), {"source.fixAll.trainlint"}),
        (("source.fixAll.ruff",), set()),
        (("source.fixAl",), set()),
        (("notebook.source.fixAll",), set()),
        (("refactor", "source.fixAll.trainlint"), {"source.fixAll.trainlint"}),
        (("",), {"quickfix", "source.fixAll.trainlint"}),
    ):
        offered = {one["kind"] for one in editor.actions("rnn.py", EVERYWHERE, *only)}
        assert offered == kinds, only


def test_a_client_that_asks_later_gets_the_edits_of_all_fixes_then(editor):
    editor.initialize(LATER)
    editor.open("rnn.py", LSTM)
    (action,) = editor.actions("rnn.py", EVERYWHERE, "source.fixAll")
    assert "edit" not in action
    assert editor.apply("rnn.py", editor.request("codeAction/resolve", action)) == MENDED
    for data in (None, 5, {"uri": 5}, {"uri": "file:///gone.py"}):
        action["data"] = data
        assert "edit" not in editor.request("codeAction/resolve", action)


def test_a_line_is_silenced_by_a_comment(editor):
    editor.initialize()
    (found,) = editor.open("rnn.py", LSTM)
    action = titled(editor.actions("rnn.py", found["range"]), "Silence")
    assert action["diagnostics"] == [found]
    silenced = LSTM.replace("=0.3)", "=0.3)  # noqa: TL212")
    assert editor.apply("rnn.py", action) == silenced
    editor.change("rnn.py", silenced)
    assert editor.diagnostics("rnn.py") == []


def test_a_comment_that_is_there_takes_one_more_code(editor):
    editor.initialize()
    text = LSTM.replace("=0.3)", "=0.3)  # noqa: E501")
    (found,) = editor.open("rnn.py", text)
    action = titled(editor.actions("rnn.py", found["range"]), "Silence")
    assert editor.apply("rnn.py", action) == text.replace("E501", "E501, TL212")


def test_where_no_comment_can_stand_none_is_offered(editor):
    editor.initialize()
    within = 'import torch.nn as nn\nrnn = nn.LSTM(16, 32, dropout=0.3); text = """\n"""\n'
    (found,) = editor.open("rnn.py", within)
    (fix,) = editor.actions("rnn.py", found["range"], "quickfix")
    assert "Silence" not in fix["title"]


def test_a_comment_stands_on_another_line_of_the_statement_where_that_has_room(editor):
    editor.initialize()
    text = 'import torch.nn as nn\nx = [nn.LSTM(16, 32, dropout=0.3), """\n"""]\n'
    (found,) = editor.open("rnn.py", text)
    action = titled(editor.actions("rnn.py", found["range"]), "Silence")
    assert editor.apply("rnn.py", action) == text.replace('"""]', '"""]  # noqa: TL212')


def test_a_comment_of_no_use_is_not_silenced_by_another_one(start):
    editor = start("--extend-select", "TL001")
    editor.initialize()
    (found,) = editor.open("rnn.py", "import torch  # noqa: TL212\n")
    (fix,) = editor.actions("rnn.py", found["range"], "quickfix")
    assert editor.apply("rnn.py", fix) == "import torch\n"


@pytest.mark.parametrize("encoding", ["utf-16", "utf-8", "utf-32"])
def test_places_and_edits_are_right_behind_characters_of_several_units(editor, encoding):
    codec = {"utf-16": "utf-16-le", "utf-8": "utf-8", "utf-32": "utf-32-le"}[encoding]
    width = {"utf-16": 2, "utf-8": 1, "utf-32": 4}[encoding]
    abilities = {
        "general": {"positionEncodings": [encoding, "utf-16"]},
        "workspace": {"workspaceEdit": {"documentChanges": True}},
    }
    assert editor.initialize(abilities)["positionEncoding"] == encoding
    line = 'name = "𝔘é😀"; rnn = nn.LSTM(16, 32, dropout=0.3); other = "🧪"'

    def column(words):
        return len(line[: line.index(words)].encode(codec)) // width

    for number, end in enumerate(("\n", "\r\n", "\r")):
        name = f"rnn{number}.py"
        text = f'from torch import nn{end}"\u2028 \f 😀"{end}{line}{end}'
        (found,) = editor.open(name, text)
        start, stop = found["range"]["start"], found["range"]["end"]
        assert (start["line"], stop["line"]) == (2, 2)
        assert (start["character"], stop["character"]) == (column("0.3"), column("0.3") + 3)
        assert editor.hover(name, 2, start["character"]) is not None
        assert editor.hover(name, 2, start["character"] - 1) is None
        assert editor.hover(name, 2, stop["character"] + 1) is None
        mend, silence = editor.actions(name, found["range"], "quickfix")
        assert editor.apply(name, mend, codec) == text.replace(", dropout=0.3", "")
        silenced = text.replace('"🧪"', '"🧪"  # noqa: TL212')
        assert editor.apply(name, silence, codec) == silenced


def test_a_client_that_keeps_the_byte_order_mark_gets_places_behind_it(editor):
    editor.initialize()
    text = "\ufefffrom torch import nn; rnn = nn.LSTM(16, 32, dropout=0.3)\n"
    (found,) = editor.open("rnn.py", text)
    action, *_ = editor.actions("rnn.py", found["range"])
    assert editor.apply("rnn.py", action) == text.replace(", dropout=0.3", "")
    assert found["range"]["start"]["character"] >= text.index("nn.LSTM")
