"""A step that is not measured waits for no device; one that is sends its numbers off together, once."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import pytest
import torch
from torch import nn

import trainlint
from trainlint.runtime import tensors
from trainlint.runtime.gathering import Crossing, Gathering

if TYPE_CHECKING:
    from collections.abc import Callable

WAITS = ("aten::item", "aten::_local_scalar_dense", "aten::nonzero", "aten::is_nonzero")
"""What must wait until a device has done all that it was asked to do."""
COPIES = ("aten::_to_copy",)


class Net(nn.Module):
    """A bit of everything that is looked at."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 8, 3)
        self.norm = nn.BatchNorm2d(8)
        self.drop = nn.Dropout(0.1)
        self.head = nn.Linear(8 * 36, 5)

    def forward(self, inputs):
        hidden = self.drop(torch.tanh(self.norm(self.conv(inputs))).relu())
        return self.head(hidden.flatten(1))


@pytest.fixture
def training(monkeypatch):
    """Return what makes steps, and counts what torch was asked for in them; all lies as on a device."""
    monkeypatch.setattr(tensors, "is_at_hand", lambda _: False)
    model = Net()
    optimizer = torch.optim.Adam(model.parameters())
    inputs, targets = torch.randn(8, 3, 8, 8), torch.randint(0, 5, (8,))

    def train(steps: int) -> Counter[str]:
        with torch.profiler.profile() as profiler:
            for _ in range(steps):
                optimizer.zero_grad()
                nn.functional.cross_entropy(model(inputs), targets).backward()
                nn.utils.clip_grad_norm_(model.parameters(), 1.0)
                optimizer.step()
        return Counter({one.key: one.count for one in profiler.key_averages()})

    return model, optimizer, train


def of(counts: Counter[str], names: tuple[str, ...]) -> int:
    return sum(counts[name] for name in names)


def test_nothing_waits_nor_is_copied_on_a_step_that_is_not_measured(training):
    model, optimizer, train = training
    alone = train(5)
    with trainlint.watch(model, optimizer, every=1000) as monitor:
        train(1)
        watched = train(5)
        assert monitor.step == 6
    assert of(watched, WAITS + COPIES) == of(alone, WAITS + COPIES)
    assert sum(watched.values()) - sum(alone.values()) <= 6 * 5  # the loss is sent off


def test_a_measured_step_waits_for_nothing_and_crosses_once(training, monkeypatch):
    model, optimizer, train = training
    crossings = []
    cross: Callable[[Gathering], Crossing] = Gathering.cross

    def counted(self):
        crossings.append(self)
        return cross(self)

    monkeypatch.setattr(Gathering, "cross", counted)
    alone = train(5)
    with trainlint.watch(model, optimizer, every=1) as monitor:
        watched = train(5)
        assert len(crossings) == 5
        assert monitor.signals["gradient_rms"]["head.weight"].steps == [1, 2, 3, 4, 5]
        assert monitor.signals["rms"]["relu"].steps == [1, 2, 3, 4, 5]
    assert of(watched, WAITS) == of(alone, WAITS)
