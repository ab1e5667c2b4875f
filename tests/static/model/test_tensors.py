"""Tests of what is surely a tensor."""

from __future__ import annotations

import pytest

HEAD = """
import torch
import torch.nn.functional as F
from torch import nn
layer = nn.Linear(2, 2)
criterion = nn.MSELoss()
x = torch.zeros(3)
"""


@pytest.mark.parametrize(
    "value",
    [
        "x",
        "torch.randn(2).cuda()",
        "x.view(-1)[0]",
        "2 * x + 1",
        "-x",
        "F.relu(unknown)",
        "torch.sigmoid(unknown)",
        "layer(unknown)",
        "criterion(unknown, other)",
        "F.mse_loss(unknown, other)",
        "nn.Parameter(unknown)",
        "layer.weight",
        "layer.weight.grad",
        "x.data",
        "x if flag else x * 2",
    ],
)
def test_what_torch_makes_is_a_tensor(asked, value):
    expr = asked(f"{HEAD}ask({value})\n")
    assert expr.model.is_tensor(expr)


@pytest.mark.parametrize(
    "value",
    [
        "unknown",
        "unknown.view(-1)",
        "layer",
        "x.shape",
        "x.item()",
        "x.tolist()",
        "x.chunk(2)",
        "x.type()",
        "F.max_pool2d(x, 2, return_indices=True)",
        "nn.LSTM(2, 2)(x)",
        "x if flag else unknown",
        "not x",
        "unknown.weight",
        "[x, x]",
    ],
)
def test_what_may_be_something_else_is_none(asked, value):
    expr = asked(f"{HEAD}ask({value})\n")
    assert not expr.model.is_tensor(expr)


@pytest.mark.parametrize(
    ("loop", "name"),
    [
        ("for p in net.parameters()", "p"),
        ("for name, p in net.named_parameters()", "p"),
        ("for i, p in enumerate(net.parameters())", "p"),
    ],
)
def test_a_parameter_in_a_loop_is_a_weight(asked, loop, name):
    expr = asked(f"import torch\n{loop}:\n    ask({name})\n")
    assert expr.model.is_weight(expr)
    assert expr.model.is_tensor(expr)


@pytest.mark.parametrize(
    ("loop", "name", "is_one"),
    [
        ("for a, b in loader", "b", True),
        ("for i, (a, b) in enumerate(loader)", "a", True),
        ("for i, batch in enumerate(loader)", "i", False),
        ("for i, batch in enumerate(loader)", "batch", False),
        ("for batch in loader", "batch", False),
        ("for a, b in pairs", "b", False),
        ("for name, p in net.named_parameters()", "name", False),
    ],
)
def test_only_what_is_unpacked_from_a_loader_is_a_tensor(asked, loop, name, is_one):
    expr = asked(f"import torch\n{loop}:\n    ask({name})\n")
    assert expr.model.is_tensor(expr) is is_one


def test_batches_of_other_packages_are_not_known(asked):
    expr = asked("import torch\nimport dgl\nfor graph, y in loader:\n    ask(graph)\n")
    assert not expr.model.is_tensor(expr)


def test_a_parameter_that_a_layer_takes_is_a_tensor(asked):
    expr = asked(
        """
        from torch import nn
        class Net(nn.Module):
            def __init__(self):
                self.fc = nn.Linear(2, 2)
            def forward(self, x, mode):
                ask(x)
                return self.fc(x)
        """
    )
    assert expr.model.is_tensor(expr)


def test_a_value_that_depends_on_itself_ends(asked):
    expr = asked("import torch\ndef f():\n    x = g(x)\n    x = x + 1\n    ask(x)\n")
    assert not expr.model.is_tensor(expr)


@pytest.mark.parametrize(
    ("statement", "is_one"),
    [
        ("piece, rest = x.chunk(2)", True),
        ("piece, rest = torch.split(x, 2)", True),
        ("piece, rest = (one.view(-1) for one in x.unbind(0))", False),
        ("piece, rest = [one + 1 for one in (x, layer(unknown))]", True),
        ("piece, rest = unknown.split(2)", False),
        ("piece, rest = x.max(0)", False),
        ("piece, rest = text.split()", False),
        ("piece = x.chunk(2)", False),
    ],
)
def test_the_pieces_of_a_tensor_are_tensors(asked, statement, is_one):
    expr = asked(f"{HEAD}{statement}\nask(piece)\n")
    assert expr.model.is_tensor(expr) is is_one
