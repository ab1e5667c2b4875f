"""`trainlint lr` and `trainlint batch-size` say in one line what is wrong with a training, and where."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

pytest.importorskip("torch")

SETUP = """\
import torch
from torch import nn
from torch._utils import ExceptionWrapper


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(8, 1)

    def forward(self, x):
        return self.fc(x)


class Empty(nn.Module):
    def forward(self, x):
        return x


class Ends:
    def __init__(self, batches=0):
        self.batches = batches

    def __iter__(self):
        for _ in range(self.batches):
            yield torch.randn(4, 8), torch.randn(4, 1)


class Breaks:
    def __iter__(self):
        yield torch.randn(4, 8), torch.randn(4, 1)
        raise FileNotFoundError("part-2.csv")


class OfAWorker:
    # as a loader does one of whose workers has failed, without the seconds that one takes

    def __iter__(self):
        try:
            self.read()
        except FileNotFoundError:
            ExceptionWrapper(where="in DataLoader worker process 0").reraise()
        yield

    def read(self):
        raise FileNotFoundError("image-3.png")


def without_graph(output, target):
    return (output - target).square().mean().detach()


def a_row(output, target):
    return (output - target).square()


def made(model=None, loss="mse", loader=None):
    model = Net() if model is None else model
    optimizer = torch.optim.SGD(model.parameters() if len(list(model.parameters())) else [torch.zeros(1)], 0.1)
    return model, optimizer, loss, Ends(4) if loader is None else loader


def fails():
    raise OSError("no data")


def frozen():
    return made(Net().requires_grad_(False))


def setup_of(**changed):
    return lambda: made(**changed)


empty = setup_of(model=Empty())
shapes = setup_of(loader=[(torch.randn(4, 5), torch.randn(4, 1))])
graph = setup_of(loss=without_graph)
row = setup_of(loss=a_row)
unknown = setup_of(loss="mze")
ends = setup_of(loader=Ends())
breaks = setup_of(loader=Breaks())
worker = setup_of(loader=OfAWorker())
once = setup_of(loader=iter([(torch.randn(4, 8), torch.randn(4, 1))]))


def short():
    return made()[:2]


def swapped():
    model, optimizer, *rest = made()
    return optimizer, model, *rest


NUMBER = 3
"""


@pytest.fixture(params=["lr", "batch-size"])
def command(request, trainlint, folder, monkeypatch):
    (folder / "a_training.py").write_text(SETUP)
    monkeypatch.setattr(sys, "path", [*sys.path])

    def run(name):
        done = trainlint(request.param, f"a_training.py:{name}")
        sys.modules.pop("a_training", None)
        return done

    return run


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("fails", "a_training.py:{fails}: the setup fails (OSError: no data)"),
        ("empty", "a_training.py:{Empty}: no parameter of `Empty` requires a gradient"),
        ("frozen", "a_training.py:{Net}: no parameter of `Net` requires a gradient"),
        ("shapes", "a_training.py:{self.fc(x)}: the training fails (RuntimeError: mat1 and mat2"),
        ("graph", "a_training.py:{without_graph}: the loss has no graph"),
        ("row", "a_training.py:{a_row}: the loss has the shape (4, 1), not one number"),
        ("unknown", "no loss is called `mze`; did you mean `mse`?"),
        ("ends", "a_training.py:{Ends}: the loader has no batches"),
        ("breaks", "a_training.py:{part-2}: the training fails (FileNotFoundError: part-2.csv)"),
        ("worker", "a_training.py:{image-3}: the training fails (FileNotFoundError: image-3.png)"),
        ("once", "a_training.py:{once}: the loader can be gone through once"),
        (
            "short",
            "a_training.py:{short}: the setup returns 2 things, not model, optimizer, loss and",
        ),
        (
            "swapped",
            "a_training.py:{swapped}: the setup returns an object of type `SGD` as its model",
        ),
        ("NUMBER", "a_training.py:NUMBER is of type `int`, not a function"),
        ("sutep_of", "a_training.py has no `sutep_of`; did you mean `setup_of`?"),
    ],
)
def test_bad_input_is_one_line_that_names_the_place(command, name, said):
    done = command(name)
    marks = {
        "fails": "no data", "Empty": "class Empty", "Net": "class Net", "self.fc(x)": "self.fc(x)",
        "without_graph": "def without_graph", "a_row": "def a_row", "Ends": "class Ends",
        "part-2": "part-2", "image-3": "image-3", "short": "def short", "swapped": "def swapped",
        "once": "lambda: made(**changed)",
    }  # fmt: skip
    lines = SETUP.splitlines()
    for key, text in marks.items():
        number = next(at for at, line in enumerate(lines, start=1) if text in line)
        said = said.replace(f"{{{key}}}", str(number))
    assert done.code == 2
    assert done.err.startswith("error: ")
    assert said in done.err
    assert done.err.count("\n") == 1
    assert done.out == ""


def test_an_interruption_is_one_line(command, folder):
    (folder / "a_training.py").write_text("def stops():\n    raise KeyboardInterrupt\n")
    done = command("stops")
    assert (done.code, done.out, done.err) == (130, "", "interrupted: nothing is suggested\n")


@pytest.mark.parametrize(
    ("command", "arguments", "code", "page", "said"),
    [
        ("probe", ":Net --batch {}:batch --loss cross_entropy", 1, "probe", "vanishing-gradient"),
        ("lr", ":setup", 0, "lr", "suggested learning rate: 0.00"),
        ("batch-size", ":setup --limit 64", 0, "batch-size", "useful by the noise: about 1"),
    ],
)
def test_the_pages_show_what_the_example_gives(trainlint, command, arguments, code, page, said):
    pytest.importorskip("sklearn")
    root = Path(__file__).parents[2]
    example = str(root / "examples" / "before_training.py")
    done = trainlint(command, *f"{example}{arguments.format(example)}".split())
    assert done.code == code, done.err
    assert said in done.out
    document = root / "docs" / f"{page}.md"
    if document.is_file():  # a wheel has no pages
        assert said in document.read_text(encoding="utf-8")
