"""`trainlint lr` tries rates on a setup of the user."""

from __future__ import annotations

import json
import sys

import pytest

pytest.importorskip("torch")

SETUP = """\
import torch
from torch import nn


def setup():
    torch.manual_seed(0)
    model = nn.Linear(8, 1)
    x = torch.randn(64, 8)
    y = x @ torch.randn(8, 1)
    return model, torch.optim.SGD(model.parameters(), 0.1), "mse", [(x, y)]


def fails():
    raise OSError("no data")


def wrong():
    return setup()[:2]
"""


@pytest.fixture
def lr(trainlint, folder, monkeypatch):
    (folder / "setup_of_lr.py").write_text(SETUP)
    monkeypatch.setattr(sys, "path", [*sys.path])

    def run(name, *arguments):
        done = trainlint("lr", f"setup_of_lr.py:{name}", *arguments)
        sys.modules.pop("setup_of_lr", None)
        return done

    return run


@pytest.mark.parametrize("method", ["sweep", "divide"])
def test_a_rate_is_suggested(lr, method):
    done = lr("setup", "--method", method)
    assert (done.code, done.err) == (0, "")
    assert "suggested learning rate" in done.out
    document = json.loads(lr("setup", "--method", method, "--output-format", "json").out)
    assert 0.01 < document["lr"]["suggestion"] < 2


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("fails", "setup_of_lr.py:14: the setup fails (OSError: no data)"),
        (
            "wrong",
            "setup_of_lr.py:17: the setup returns 2 things, not model, optimizer, loss and loader",
        ),
        ("sutep", "did you mean `setup`?"),
    ],
)
def test_bad_input_is_one_line(lr, name, said):
    done = lr(name)
    assert done.code == 2
    assert said in done.err
    assert done.err.count("\n") == 1


def test_the_curve_is_written_as_html_and_as_png(lr, folder):
    pytest.importorskip("plotly")
    pytest.importorskip("matplotlib")
    assert lr("setup", "--html", "curve.html", "--png", "curve.png").code == 0
    assert "suggested" in (folder / "curve.html").read_text(encoding="utf-8")
    assert (folder / "curve.png").read_bytes().startswith(b"\x89PNG")
