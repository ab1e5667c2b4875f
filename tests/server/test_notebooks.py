"""Notebooks over pipes: each cell is a document, and all of them are one program."""

from __future__ import annotations

import pytest

pytest.importorskip("pygls", reason="the extra `server` is not installed")

NET = """\
import torch.nn.functional as F
from torch import nn
net = nn.Sequential(nn.Linear(4, 2), nn.Softmax(dim=1))
"""
LOSS = "loss = F.cross_entropy(net(x), y)  # ü\nloss.backward()\n"
"""With the network breaks TL301 in its first line."""
LSTM = "%matplotlib inline\nrnn = nn.LSTM(16, 32, dropout=0.3)"
"""Breaks TL212 in its second line, whose fix is safe."""
ABILITIES = {
    "notebookDocument": {"synchronization": {}},
    "textDocument": {"publishDiagnostics": {"relatedInformation": True}},
    "workspace": {"workspaceEdit": {"documentChanges": True}},
}


class Book:
    """A notebook in the editor."""

    def __init__(self, editor, *cells, scheme="vscode-notebook-cell"):
        self.editor = editor
        self.uri = editor.uri("book.ipynb")
        self.scheme = scheme
        self.version = 1
        self.cells: list[dict[str, object]] = []
        documents = [self.made(number, *cell) for number, cell in enumerate(cells)]
        editor.notify(
            "notebookDocument/didOpen",
            {
                "notebookDocument": {
                    "uri": self.uri,
                    "notebookType": "jupyter-notebook",
                    "version": 1,
                    "cells": self.cells,
                },
                "cellTextDocuments": documents,
            },
        )

    def cell(self, number):
        """Return the address of a cell, counted from 0 in the order in which they were made."""
        return f"{self.scheme}:{self.uri.partition(':')[2]}#c{number}"

    def made(self, number, language, text):
        """Make a cell; return its document."""
        uri = self.cell(number)
        self.editor.texts[uri], self.editor.versions[uri] = text, 1
        self.cells.append({"kind": 2 if language else 1, "document": uri})
        return {"uri": uri, "languageId": language or "markdown", "version": 1, "text": text}

    def change(self, **cells):
        """Tell what has changed in the cells."""
        self.version += 1
        self.editor.notify(
            "notebookDocument/didChange",
            {
                "notebookDocument": {"uri": self.uri, "version": self.version},
                "change": {"cells": cells},
            },
        )

    def type(self, number, *changes):
        """Change the text of a cell, in pieces."""
        uri = self.cell(number)
        self.editor.versions[uri] += 1
        document = {"uri": uri, "version": self.editor.versions[uri]}
        self.change(textContent=[{"document": document, "changes": list(changes)}])

    def codes(self, number):
        """Return line and code of what is said next of a cell."""
        found = self.editor.diagnostics(self.cell(number))
        return [(one["range"]["start"]["line"], one.get("code")) for one in found]


@pytest.fixture
def open_book(editor):
    """Return a function that opens a notebook of cells."""
    editor.initialize(ABILITIES)
    return lambda *cells, **more: Book(editor, *cells, **more)


def test_the_server_asks_for_all_cells_of_notebooks(editor):
    able = editor.initialize(ABILITIES)
    assert able["notebookDocumentSync"] == {
        "notebookSelector": [{"notebook": "jupyter-notebook"}],
        "save": True,
    }


@pytest.mark.parametrize("scheme", ["vscode-notebook-cell", "file"])
def test_each_cell_gets_what_stands_in_it(editor, open_book, scheme):
    book = open_book(
        ("", "# A title"), ("python", NET), ("python", LOSS), ("python", LSTM), scheme=scheme
    )
    assert book.codes(1) == []
    (found,) = editor.diagnostics(book.cell(2))
    assert (found["code"], found["range"]["start"]) == ("TL301", {"line": 0, "character": 7})
    (related,) = found["relatedInformation"]
    assert related["location"]["uri"] == book.cell(1)
    assert related["location"]["range"]["start"]["line"] == 2
    assert book.codes(3) == [(1, "TL212")]
    told = [
        one for one in editor.messages if one.get("method") == "textDocument/publishDiagnostics"
    ]
    assert [one["params"]["uri"] for one in told] == [book.cell(number) for number in (1, 2, 3)]
    assert editor.leave() == 0


def test_what_is_typed_in_one_cell_is_seen_by_the_others(open_book):
    book = open_book(("python", NET), ("python", LOSS))
    assert (book.codes(0), book.codes(1)) == ([], [(0, "TL301")])
    line = NET.splitlines()[2]
    start, end = line.index(", nn.Softmax"), len(line) - 1
    place = {"start": {"line": 2, "character": start}, "end": {"line": 2, "character": end}}
    book.type(0, {"range": place, "text": ""})
    assert (book.codes(0), book.codes(1)) == ([], [])
    book.type(0, {"text": NET})
    assert (book.codes(0), book.codes(1)) == ([], [(0, "TL301")])
    # Behind a character of two units, and at the very end.
    book.type(
        1,
        {
            "range": {"start": {"line": 0, "character": 40}, "end": {"line": 0, "character": 40}},
            "text": "\U0001f600 noqa: TL301",
        },
        {
            "range": {"start": {"line": 2, "character": 0}, "end": {"line": 2, "character": 0}},
            "text": "\n\nloss.backward(\n",
        },
    )
    book.codes(0)
    (found,) = book.editor.diagnostics(book.cell(1))
    assert "syntax error" in found["message"]
    assert found["range"]["start"]["line"] == 4


def test_cells_come_go_and_move(editor, open_book):
    book = open_book(("python", NET), ("python", LOSS))
    assert (book.codes(0), book.codes(1)) == ([], [(0, "TL301")])
    new = book.made(2, "python", LSTM)
    array = {"start": 1, "deleteCount": 0, "cells": [book.cells[2]]}
    book.change(structure={"array": array, "didOpen": [new], "didClose": []})
    assert (book.codes(0), book.codes(2), book.codes(1)) == ([], [(1, "TL212")], [(0, "TL301")])
    # The loss goes to the front: it is taken out and put back, and its text is still known.
    book.change(structure={"array": {"start": 2, "deleteCount": 1}})
    cleared = editor.wait(lambda one: one.get("params", {}).get("uri") == book.cell(1))
    assert cleared["params"]["diagnostics"] == []
    book.change(structure={"array": {"start": 0, "deleteCount": 0, "cells": [book.cells[1]]}})
    assert book.codes(1) == [(0, "TL301")]
    assert (book.codes(0), book.codes(2)) == ([], [(1, "TL212")])
    gone = {"array": {"start": 2, "deleteCount": 1}, "didClose": [{"uri": book.cell(2)}]}
    book.change(structure=gone)
    assert book.codes(2) == []
    editor.notify(
        "notebookDocument/didClose",
        {"notebookDocument": {"uri": book.uri}, "cellTextDocuments": []},
    )
    assert book.codes(1) == []


def test_a_cell_that_is_broken_says_so_and_the_others_are_linted(editor, open_book):
    book = open_book(("python", "a = 1\nfor x in:\n"), ("python", NET), ("python", LOSS))
    (found,) = editor.diagnostics(book.cell(0))
    assert found["range"]["start"] == {"line": 1, "character": 0}
    assert found["message"].startswith("syntax error: ")
    assert (book.codes(1), book.codes(2)) == ([], [(0, "TL301")])


def test_fixes_and_comments_edit_the_cell_in_which_they_stand(editor, open_book):
    book = open_book(("python", NET), ("python", LSTM), ("python", LSTM))
    assert book.codes(0) == []
    (found,) = editor.diagnostics(book.cell(1))
    place = found["range"]
    assert book.codes(2) == [(1, "TL212")]
    assert editor.actions(book.cell(0), place, "quickfix") == []
    fix, comment = editor.actions(book.cell(1), place, "quickfix")
    fixed = LSTM.replace(", dropout=0.3", "")
    assert editor.apply(book.cell(1), fix) == fixed
    assert editor.apply(book.cell(1), comment) == f"{LSTM}  # noqa: TL212"
    # As in ruff: the other kind is asked of each cell, all at once.
    assert editor.actions(book.cell(2), place, "source.fixAll") == []
    (action,) = editor.actions(book.cell(2), place, "notebook.source.fixAll")
    assert action["kind"] == "notebook.source.fixAll.trainlint"
    changes = action["edit"]["documentChanges"]
    assert [one["textDocument"]["uri"] for one in changes] == [book.cell(1), book.cell(2)]
    for change, number in zip(changes, (1, 2), strict=True):
        assert editor.apply(book.cell(number), {"edit": {"documentChanges": [change]}}) == fixed


def test_hovering_over_a_cell_shows_the_page_of_its_diagnosis(editor, open_book):
    book = open_book(("python", NET), ("python", LSTM))
    assert book.codes(0) == []
    (found,) = editor.diagnostics(book.cell(1))
    column = found["range"]["start"]["character"]
    shown = editor.hover(book.cell(1), 1, column)
    assert shown["contents"]["value"].startswith("# TL212 rnn-dropout-single-layer")
    assert shown["range"]["start"]["line"] == 1
    assert editor.hover(book.cell(0), 1, column) is None


def test_a_cell_of_another_language_is_left_alone(editor, open_book):
    book = open_book(("python", NET), ("shellscript", "for x in: do"), ("python", LOSS))
    assert (book.codes(0), book.codes(2)) == ([], [(0, "TL301")])
    assert book.cell(1) not in str(editor.messages)
