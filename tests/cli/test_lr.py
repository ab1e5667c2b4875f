"""`trainlint lr` tries rates on a setup of the user."""

from __future__ import annotations

import json
import math
import sys

import pytest

pytest.importorskip("torch")

from trainlint.cli.lr import picture
from trainlint.runtime.lr_finder import LRReport

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


LOW = """\
def low(output, target):
    if output.dtype != torch.bfloat16:
        raise TypeError(f"the output is {output.dtype}")
    return (output - target).square().mean()


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


def test_a_training_in_mixed_precision_is_tried(lr, folder):
    text = SETUP.replace('"mse"', "low").replace("def fails", LOW + "def fails")
    (folder / "setup_of_lr.py").write_text(text)
    assert "suggested learning rate" in lr("setup", "--autocast", "bfloat16", "--steps", "20").out
    assert "the output is torch.float32" in lr("setup", "--steps", "20").err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--smallest", "1", "--largest", "0.1"), "expects 0 < smallest < largest"),
        (("--largest", "inf"), "expects 0 < smallest < largest"),
        (("--steps", "9"), "9 is not in the range x>=10"),
        (("--autocast", "int8"), "'int8' is not one of"),
    ],
)
def test_a_wrong_option_is_said(lr, arguments, said):
    done = lr("setup", *arguments)
    assert (done.code, done.out) == (2, "")
    assert said in done.err


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


def test_the_picture_has_the_trials_and_cuts_off_what_would_hide_them():
    report = LRReport(
        "sweep", (1e-7, 1e-4, 0.1), (2.0, 1.0, 90.0), 1e-3, 1e-4, 0.1,
        trials=((3e-4, 0.5), (1e-3, 0.25), (3e-3, math.inf)),
        start=2.25,
    )  # fmt: skip
    drawn = picture(report)
    assert [(one.name, one.y) for one in drawn.curves] == [
        ("sweep", (2.0, 1.0, 90.0)),
        ("from the same weights", (0.5, 0.25)),
    ]
    assert drawn.top == 0.25 + 2 * (2.25 - 0.25)
    assert drawn.floor < 0.25
    assert [(said, drawn.is_late(place)) for place, said in drawn.marks] == [
        ("suggested: 0.001", False),
        ("steepest descent: 0.0001", False),
        ("divergence: 0.1", True),
    ]
    alone = picture(LRReport("divide", (10.0,), (math.inf,), None))
    assert (alone.top, list(alone.marks), alone.curves[0].y) == (None, [], ())
