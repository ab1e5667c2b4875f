"""Where ddp-before-device speaks, and where it must not."""

from __future__ import annotations

from collections.abc import Callable

import pytest

Lines = Callable[..., list[int]]
RULE = "ddp-before-device"
HEAD = """
import torch
from torch import nn
from torch.nn.parallel import DistributedDataParallel as DDP
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(8, 2)
    def forward(self, x):
        return self.fc(x)
"""


@pytest.mark.parametrize(
    "body",
    [
        "net = DDP(Net())\nnet.to(rank)",
        "net = DDP(Net())\nnet = net.cuda()",
        "net = DDP(nn.Linear(8, 2))\nnet.to('cuda:0')",
        "net = Net()\nnet = DDP(net)\nnet.to(device)",
        "net = Net()\nddp = DDP(net, find_unused_parameters=True)\nddp.to(torch.device('cuda', rank))",
        "net = DDP(module=Net())\nnet.cuda(rank)",
    ],
)
def test_a_move_after_the_wrapping_is_found(lines: Lines, body: str) -> None:
    assert len(lines(RULE, HEAD + body)) == 1


def test_a_trainer_class_is_found(lines: Lines) -> None:
    source = """
class Trainer:
    def __init__(self, rank):
        self.model = DDP(Net())
        self.model.to(rank)
"""
    assert lines(RULE, HEAD + source) == [15]


def test_a_function_that_builds_is_followed(lines: Lines) -> None:
    source = "def build():\n    return DDP(Net())\nnet = build()\nnet.cuda()\n"
    assert lines(RULE, HEAD + source) == [14]


@pytest.mark.parametrize(
    "body",
    [
        "net = Net().to(rank)\nnet = DDP(net)",
        "net = DDP(Net().cuda())\nnet.to(rank)",
        "net = Net()\nnet.to(rank)\nnet = DDP(net)\nnet.to(rank)",
        "net = Net(device=device)\nnet = DDP(net)\nnet.to(rank)",
        "net = DDP(load_model())\nnet.to(rank)",
        "net = DDP(Net())\nnet.to(torch.bfloat16)",
        "net = DDP(Net())\nnet.to('cpu')",
        "net = DDP(Net())\nnet.to(memory_format=torch.channels_last)",
        "net = Net()\nif distributed:\n    net = DDP(net)\nnet.to(rank)",
        "torch.set_default_device('cuda')\nnet = DDP(Net())\nnet.to(rank)",
        "with torch.device('cuda'):\n    net = DDP(Net())\nnet.to(rank)",
        "def f(net):\n    net = DDP(net)\n    net.to(rank)",
        "net = DDP(Net())\nfor x, y in loader:\n    x = x.to(rank)",
    ],
)
def test_what_was_moved_before_or_is_not_known_is_fine(lines: Lines, body: str) -> None:
    assert lines(RULE, HEAD + body) == []


def test_a_move_in_another_function_before_is_trusted(lines: Lines) -> None:
    source = """
class Trainer:
    def __init__(self, rank):
        self.net = Net()
        self.move(rank)
        self.ddp = DDP(self.net)
        self.ddp.to(rank)
    def move(self, rank):
        self.net.to(rank)
"""
    assert lines(RULE, HEAD + source) == []
