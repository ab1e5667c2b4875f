"""Compiled models: measured steps run eagerly, no recompile is caused, and the same is seen."""

from __future__ import annotations

from typing import Any

import pytest
import torch
import torch._dynamo.testing
from torch import nn

import trainlint

pytestmark = pytest.mark.slow


@pytest.fixture(autouse=True)
def _fresh():
    torch._dynamo.reset()
    yield
    torch._dynamo.reset()


def train(model, optimizer, steps):
    for _ in range(steps):
        inputs = torch.randn(64, 8)
        labels = inputs[:, :3].argmax(1)
        nn.functional.cross_entropy(model(inputs), labels).backward()
        optimizer.step()
        optimizer.zero_grad()


class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(8, 64)

    def forward(self, inputs):
        return torch.relu(self.fc(inputs))


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.block = Block()
        self.head = nn.Linear(64, 3)

    def forward(self, inputs):
        return self.head(self.block(inputs))


def sick():
    torch.manual_seed(0)
    model = Net()
    nn.init.constant_(model.block.fc.bias, -20.0)
    return model


@pytest.mark.parametrize("how", ["whole", "in place", "regional"])
def test_a_compiled_model_is_watched_without_a_recompile(how):
    frames = torch._dynamo.testing.CompileCounter()
    model = sick()
    watched: Any = model
    if how == "whole":
        watched = torch.compile(model, backend=frames, fullgraph=True)
    elif how == "in place":
        model.compile(backend=frames)
    else:
        model.block.compile(backend=frames)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    train(watched, optimizer, 3)
    before = frames.frame_count
    assert before > 0
    with trainlint.watch(
        watched, optimizer, every=4, select=["dead-relu"], thresholds={"dead-relu": {"samples": 10}}
    ) as monitor:
        train(watched, optimizer, 50)
    train(watched, optimizer, 3)
    assert frames.frame_count == before
    assert [one.rule for one in monitor.diagnoses] == ["dead-relu"]
    assert monitor.signals["dead_units"]


def test_the_stance_is_as_it_was_when_the_monitor_has_closed():
    model: Any = torch.compile(sick(), backend="eager")
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    stance = torch._dynamo.eval_frame._stance.stance
    with trainlint.watch(model, optimizer, every=1, select=["dead-relu"]):
        train(model, optimizer, 3)
    assert torch._dynamo.eval_frame._stance.stance == stance


@pytest.mark.filterwarnings("ignore:`torch.jit.script_method` is deprecated")
@pytest.mark.filterwarnings("ignore:The .grad attribute of a Tensor that is not a leaf")
@pytest.mark.parametrize("how", ["step", "training"])
def test_the_steps_of_a_compiled_optimizer_are_seen_without_a_recompile(how):
    ends, frames = [], []
    for watch in (False, True):
        torch._dynamo.reset()
        model = sick()
        # Without `foreach` torch 2.6 rounds otherwise where a step is compiled, watched or not.
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1, foreach=True)
        counter = torch._dynamo.testing.CompileCounter()
        monitor = trainlint.watch(model, optimizer, every=4) if watch else None

        step = torch.compile(optimizer.step, backend=counter) if how == "step" else optimizer.step

        def run(model=model, optimizer=optimizer, step=step):
            inputs = torch.randn(64, 8)
            nn.functional.cross_entropy(model(inputs), inputs[:, :3].argmax(1)).backward()
            step()
            optimizer.zero_grad()

        whole = torch.compile(run, backend=counter) if how == "training" else run
        for _ in range(20):
            whole()
        ends.append(model.state_dict())
        frames.append(counter.frame_count)
    assert monitor is not None
    assert monitor.step == 20
    assert monitor.signals["rms"]["head"].steps == [1, 4, 8, 12, 16, 20]
    assert all(torch.equal(one, ends[1][name]) for name, one in ends[0].items())
    assert frames[0] == frames[1]
    monitor.close()
