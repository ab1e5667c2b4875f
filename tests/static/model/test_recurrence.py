"""Loops over the steps of a sequence, and what they feed back."""

from __future__ import annotations

import pytest


def fed_back(model, loop, *body):
    lines = "\n            ".join(body)
    file = model(f"""
import torch
from torch import nn
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.cell = nn.GRUCell(8, 8)
        self.layers = nn.ModuleList([nn.Linear(8, 8)])
    def forward(self, x, h):
        length = x.size(1)
        {loop}
            {lines}
        return h
""")
    (call,) = file.method_calls("ask")
    return file.is_fed_back(call, call.loops[0])


@pytest.mark.parametrize(
    ("loop", "expected"),
    [
        ("for t in range(x.size(1)):", True),
        ("for t in range(x.shape[1] - 1):", True),
        ("for t in range(length):", True),
        ("for t in x.unbind(1):", True),
        ("for layer in self.layers:", False),
        ("for t in range(3):", False),
        ("for t in range(len(self.layers)):", False),
    ],
)
def test_a_loop_is_a_recurrence_by_its_range(model, loop, expected):
    assert fed_back(model, loop, "h = ask(h)") is expected


def test_a_loop_is_a_recurrence_by_a_cell_in_it(model):
    assert fed_back(model, "for step in x:", "h = ask(self.cell(step, h))")


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (["h = ask(h)"], True),
        (["new = f(x[:, t], h)", "h = ask(new)"], True),
        (["state = ask(h)", "h = f(x[:, t], state)"], True),
        (["h, c = f(x, h)", "h = ask(h)"], True),
        (["h = f(ask(x[:, t]), h)"], False),
        (["h = f(x[:, t], h)", "y = ask(h)", "out.append(y)"], False),
        (["h = f(x[:, t], h)", "out.append(ask(h))"], False),
        (["h = f(x[:, t], h)", "total += ask(h)"], False),
        (["h = f(x[:, t], h)", "y = ask(h)", "z = g(y, z)"], False),
    ],
)
def test_a_call_is_fed_back_if_its_result_comes_round_to_it(model, body, expected):
    assert fed_back(model, "for t in range(x.size(1)):", *body) is expected
