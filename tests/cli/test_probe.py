"""`trainlint probe` runs a model of the user, and says in one line what is wrong with it."""

from __future__ import annotations

import json
import re
import sys

import pytest

torch = pytest.importorskip("torch")

MODEL = """\
import torch
from torch import nn


class Net(nn.Module):
    def __init__(self, width=16, std=None, depth=8):
        super().__init__()
        layers = []
        for _ in range(depth):
            linear = nn.Linear(width, width)
            if std is not None:
                nn.init.normal_(linear.weight, std=std)
                nn.init.zeros_(linear.bias)
            layers += [linear, nn.ReLU()]
        self.body = nn.Sequential(*layers)
        self.head = nn.Linear(width, 3)

    def forward(self, x):
        return self.head(self.body(x))


class Words(nn.Module):
    def __init__(self):
        super().__init__()
        self.embed, self.head = nn.Embedding(50, 16), nn.Linear(16, 50)

    def forward(self, tokens, mask=None):
        return self.head(self.embed(tokens))


def batch():
    torch.manual_seed(0)
    return torch.randn(8, 16), torch.randint(3, (8,))


def detached(output, target):
    return output.detach().sum()


def fails():
    return [][0]


def without_numbers():
    with torch.device("meta"):
        return Net()


def ends():
    raise SystemExit(3)


def nothing():
    pass


def too_high():
    return torch.randn(8, 16), torch.full((8,), 3)


def batches():
    yield batch()


def loader():
    return torch.utils.data.DataLoader(torch.utils.data.TensorDataset(*batch()), batch_size=4)


NUMBER = 3


class Empty(nn.Module):
    def forward(self, x):
        return x


def frozen():
    return Net().requires_grad_(False)


def long():
    raise ValueError("a " * 5000)
"""


@pytest.fixture
def probe(trainlint, folder, monkeypatch):
    (folder / "probed_model.py").write_text(MODEL)
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.delitem(sys.modules, "probed_model", raising=False)

    def run(target, *arguments):
        done = trainlint("probe", f"probed_model.py:{target}", *arguments)
        sys.modules.pop("probed_model", None)
        return done

    return run


BATCH = ("--batch", "probed_model.py:batch", "--loss", "cross_entropy")


def test_a_healthy_model_ends_with_0_and_a_picture(probe):
    done = probe("Net", *BATCH, "--arg", "depth=2")
    assert (done.code, done.err) == (0, "")
    assert "●" in done.out
    assert "guessing gives 1.1" in done.out
    assert "No diagnoses in 1 step." in done.out


def test_a_lost_signal_ends_with_1_at_the_line_of_the_layer_and_with_the_effect(probe):
    done = probe("Net", *BATCH, "--arg", "std=0.02", "--color", "never")
    assert done.code == 1
    assert "probed_model.py:10: before the first step: warning TL150 poor-initial-scale" in done.out
    assert "With the right initialisation" in done.out
    assert probe("Net", *BATCH, "--arg", "std=0.02", "--exit-zero").code == 0
    assert probe("Net", *BATCH, "--arg", "std=0.02", "--ignore", "ALL").code == 0


def test_json_has_the_diagnoses_and_the_numbers(probe):
    done = probe("Net", *BATCH, "--arg", "std=0.02", "--output-format", "json")
    document = json.loads(done.out)
    assert document["diagnoses"][0]["rule"] == "poor-initial-scale"
    first = document["probe"]["layers"][0]
    assert first["followed_by"] == "relu"
    assert first["forward"] == pytest.approx(first["predicted"], rel=0.5)
    assert document["probe"]["effect"]["after"]["diagnoses"] == []


@pytest.mark.parametrize("form", ["concise", "github", "sarif", "json-lines"])
def test_other_formats_show_the_diagnoses_alone(probe, form):
    done = probe("Net", *BATCH, "--arg", "std=0.02", "--output-format", form)
    assert done.code == 1
    assert "TL150" in done.out
    assert "●" not in done.out


def test_random_inputs_need_no_batch(probe):
    assert probe("Net", "--input", "8,16", "--arg", "depth=2").code == 0
    assert "random targets" in probe("Net", "--input", "8,16", "--loss", "cross_entropy").out
    done = probe(
        "Words", "--input", "int:4,10:50", "--input", "bool:4,10", "--loss", "cross_entropy"
    )
    assert done.err == ""
    assert probe("Words", "--input", "tokens=int:4,10:50").err == ""


@pytest.mark.parametrize(("name", "size"), [("loader", 4), ("batches", 8)])
def test_the_first_batch_of_a_loader_is_taken(probe, name, size):
    done = probe("Net", "--batch", f"probed_model.py:{name}", "--loss", "cross_entropy")
    assert done.err == ""
    assert f"a batch of {size}\n" in done.out


def test_seeds_and_types_are_heeded(probe):
    done = probe("Net", "--input", "8,16", "--seeds", "3", "--dtype", "bfloat16")
    assert "3 seeds" in done.out
    assert re.search(r"over 3 seeds, forward differs most at [\w.]+: \S+ to \S+\n", done.out)
    assert done.err == ""


@pytest.mark.parametrize(
    ("target", "arguments", "said"),
    [
        (
            "Net",
            ("--input", "8,5"),
            "probed_model.py:19: probing the model fails (RuntimeError: mat1",
        ),
        ("Net", ("--input", "8,16", "--arg", "wide=3"), "making the model fails (TypeError"),
        ("fails", ("--input", "8,16"), "probed_model.py:41: making the model fails (IndexError"),
        ("batch", ("--input", "8,16"), ": the model is of type `tuple`"),
        ("NUMBER", ("--input", "8,16"), "neither a model nor a function"),
        ("Nets", ("--input", "8,16"), "probed_model.py has no `Nets`; did you mean `Net`?"),
        ("Net", (), "either --input SHAPE or --batch MODULE:FUNCTION"),
        ("Net", ("--input", "8x16"), "--input: expects a shape"),
        ("Net", ("--input", "8,16", "--dtype", "flat32"), "did you mean `float32`?"),
        ("Net", ("--input", "8,16", "--device", "cude"), "--device: `cude` cannot be used here"),
        ("Empty", ("--input", "8,16"), "probed_model.py:72: `Empty` has no parameters"),
        ("frozen", ("--input", "8,16"), "probed_model.py:5: no parameter of `Net` requires a"),
        (
            "long",
            ("--input", "8,16"),
            "probed_model.py:82: making the model fails (ValueError: a a",
        ),
        ("Net", ("--input", "8,16", "--loss", "mze"), "did you mean `mse`?"),
        ("Net", ("--input", "8,16", "--arg", "depth"), "--arg: expects name=value"),
        (
            "Net",
            (*BATCH[:2], "--loss", "probed_model.py:detached"),
            "probed_model.py:36: the loss has no graph",
        ),
        ("Net", ("--batch", "probed_model.py:fails"), "probed_model.py:41: the batch fails"),
        ("Net", ("--batch", "nowhere:batch"), "--batch: no module is called `nowhere`"),
        ("Net", ("--batch", "probed_model.py:nothing"), "probed_model.py:53: the batch is None"),
        (
            "without_numbers",
            BATCH,
            "probed_model.py:5: `body.0.weight` of `Net` is on the meta device",
        ),
        ("ends", BATCH, "probed_model.py:50: making the model fails (SystemExit: 3)"),
        (
            "Net",
            ("--batch", "probed_model.py:too_high", "--loss", "cross_entropy"),
            "an output of shape (8, 3) and a target of shape (8,) (int64) fails (IndexError",
        ),
        (
            "Net",
            ("--input", "8,99999999999999999999"),
            "--input: `8,99999999999999999999` cannot be drawn",
        ),
        ("Net", ("--input", "99999999999999,16"), "--input: `99999999999999,16` cannot be drawn"),
        ("Net", (*BATCH[:2], "--loss", "torch.nn:Linear"), "making the loss fails (TypeError"),
        ("Net", ("--input", "0,16"), "batch is empty: the model is given the shape (0, 16)"),
        ("Net", ("--input", "8,16", "--loss", "torch.nn:MSELoss"), "the loss is given no target"),
    ],
)
def test_bad_input_is_one_line_that_names_the_place(probe, target, arguments, said):
    done = probe(target, *arguments)
    assert done.code == 2
    assert said in done.err
    assert done.err.count("\n") == 1
    assert len(done.err) < 600
    assert done.out == ""


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is the device that is to be missing")
def test_a_device_that_is_not_there_is_said_with_those_that_are(probe):
    done = probe("Net", "--input", "8,16", "--device", "cuda")
    assert done.code == 2
    assert done.err.startswith("error: --device: `cuda` cannot be used here (")
    assert done.err.endswith("; there is cpu\n")


def test_a_module_runs_once_though_a_model_a_batch_and_a_loss_are_asked_of_it(probe, folder):
    text = MODEL + "print('it runs')\n"
    (folder / "probed_model.py").write_text(text)
    done = probe("Net", *BATCH[:2], "--loss", "probed_model.py:nn.functional.cross_entropy")
    assert done.err == "it runs\n"
    assert "it runs" not in done.out


def test_a_module_that_fails_is_named_with_its_line(trainlint, folder):
    (folder / "broken_model.py").write_text("import torch\n\n1 / 0\n")
    done = trainlint("probe", "broken_model.py:Net", "--input", "8,16")
    assert done.code == 2
    assert (
        done.err
        == "error: broken_model.py:3: importing it fails (ZeroDivisionError: division by zero)\n"
    )
    assert trainlint("probe", "nowhere.py:Net", "--input", "8,16").err == (
        "error: nowhere.py: no such file\n"
    )
    assert "expects package.module:name" in trainlint("probe", "nowhere", "--input", "8").err


def test_the_picture_is_written_as_html(probe, folder):
    pytest.importorskip("plotly")
    assert probe("Net", *BATCH, "--arg", "depth=2", "--html", "made/picture.html").code == 0
    text = (folder / "made" / "picture.html").read_text(encoding="utf-8")
    assert "gradient" in text
    assert '"x":["body.0","body.2","head"]' in text.replace(", ", ",")
    assert '"name":"theory"' in text.replace(": ", ":")


def test_the_picture_is_written_as_png(probe, folder):
    pytest.importorskip("matplotlib")
    assert probe("Net", *BATCH, "--arg", "depth=2", "--png", "made/picture.png").code == 0
    data = (folder / "made" / "picture.png").read_bytes()
    assert data.startswith(b"\x89PNG")
    assert len(data) > 10_000
    done = probe("Net", *BATCH, "--png", "made")
    assert (done.code, done.err) == (2, "error: made: cannot be written: Is a directory\n")


@pytest.mark.parametrize(
    ("option", "library", "extra"), [("--html", "plotly", "report"), ("--png", "matplotlib", "png")]
)
def test_a_missing_library_is_said_in_one_line(probe, monkeypatch, option, library, extra):
    for name in [name for name in sys.modules if name.split(".")[0] == library]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, library, None)
    done = probe("Net", *BATCH, option, "picture")
    assert done.code == 2
    assert done.err == f"error: {option} needs {library}: pip install 'trainlint[{extra}]'\n"


def test_the_help_says_that_the_module_is_run(trainlint):
    assert "RUNS ITS CODE" in " ".join(trainlint("probe", "--help").out.split())
