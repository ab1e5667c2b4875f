"""`trainlint batch-size` tries batches on a setup of the user."""

from __future__ import annotations

import json
import sys

import pytest

pytest.importorskip("torch")

SETUP = """\
import torch
from torch import nn


class Small(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(8, 1)

    def forward(self, x):
        if len(x) > 70:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return self.fc(x)


def setup(wrong=False):
    print('a line of the user')
    torch.manual_seed(0)
    model = Small()
    x = torch.randn(64, 8)
    y = x @ torch.randn(8, 1) + torch.randn(64, 1)
    data = [(x[at : at + 8], y[at : at + 8, : 2 if wrong else 1]) for at in range(0, 64, 8)]
    return model, torch.optim.SGD(model.parameters(), 0.1), "mse", data * 2
"""


@pytest.fixture
def batch_size(trainlint, folder, monkeypatch):
    (folder / "setup_of_batch.py").write_text(SETUP)
    monkeypatch.setattr(sys, "path", [*sys.path])

    def run(name, *arguments):
        done = trainlint("batch-size", f"setup_of_batch.py:{name}", *arguments)
        sys.modules.pop("setup_of_batch", None)
        return done

    return run


def test_the_largest_and_the_useful_size_are_told(batch_size):
    done = batch_size("setup")
    assert (done.code, done.err) == (0, "a line of the user\n")
    assert "a line of the user" not in done.out
    assert "largest that fits: 70 (memory runs out with 71)" in done.out
    assert "useful by the noise: about" in done.out
    assert "to begin with: 32" in done.out


def test_json_has_the_same_in_numbers(batch_size, folder):
    done = batch_size("setup", "--output-format", "json", "--limit", "20", "-o", "made/it.json")
    assert (done.code, done.out) == (0, "")
    document = json.loads((folder / "made" / "it.json").read_text(encoding="utf-8"))
    assert document["version"] == 1
    assert document["batch_size"]["largest"] == 20
    assert document["batch_size"]["sizes"] == [8, 16, 20]
    assert document["batch_size"]["noise_scale"]["estimate"] > 0


def test_it_ends_with_1_where_nothing_fits(batch_size, folder):
    text = SETUP.replace("> 70", "> 0")
    (folder / "setup_of_batch.py").write_text(text)
    done = batch_size("setup")
    assert done.code == 1
    assert "not even one example fits" in done.out
