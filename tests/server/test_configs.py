"""Configuration files over pipes: those that configure a training are linted, the others left alone."""

from __future__ import annotations

import json

import pytest

pytest.importorskip("pygls", reason="the extra `server` is not installed")

ADAM = "_target_: torch.optim.Adam\nlr: 0.5\nbetas: [0.9, 0.99]\n"
"""Breaks TL402 in its second line."""


def codes(diagnostics):
    """Return the lines, from 0, and the codes of diagnostics."""
    return [(one["range"]["start"]["line"], one.get("code")) for one in diagnostics]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("conf/adam.yaml", ADAM),
        ("adam.json", json.dumps({"_target_": "torch.optim.Adam", "lr": 0.5}, indent=1)),
        ("adam.toml", '_target_ = "torch.optim.Adam"\nlr = 0.5\n'),
    ],
)
def test_a_configuration_of_a_training_is_linted_as_it_is_typed(editor, tmp_path, name, text):
    (tmp_path / "conf").mkdir()
    line = text.splitlines().index(next(one for one in text.splitlines() if "lr" in one))
    editor.initialize()
    assert codes(editor.open(name, text)) == [(line, "TL402")]
    editor.change(name, text.replace("0.5", "0.001"))
    assert editor.diagnostics(name) == []
    editor.change(name, text)
    (found,) = editor.diagnostics(name)
    shown = editor.hover(name, line, found["range"]["start"]["character"])
    assert shown["contents"]["value"].startswith("# TL402 ")


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("settings.yaml", "name: it\nlr: [0.5\n"),
        ("package.json", '{"_target_": "torch.optim.Adam", "lr": 0.5}'),
        ("conf.yaml", "lr: 0.5\nname: it  # noqa: TL402\n"),
    ],
)
def test_what_is_broken_or_about_something_else_is_left_alone(start, name, text):
    editor = start("--debounce", "20", "--select", "ALL")
    editor.initialize()
    assert editor.open(name, text) == []


def test_a_comment_silences_a_line_of_a_configuration(editor):
    editor.initialize()
    (found,) = editor.open("adam.yaml", ADAM)
    *_, comment = editor.actions("adam.yaml", found["range"])
    silenced = editor.apply("adam.yaml", comment)
    assert silenced == ADAM.replace("lr: 0.5", "lr: 0.5  # noqa: TL402")
    editor.change("adam.yaml", silenced)
    assert editor.diagnostics("adam.yaml") == []
