"""Where frozen-batchnorm-still-updates speaks, and where it must not."""

from __future__ import annotations

from collections.abc import Callable

import pytest

Lines = Callable[..., list[int]]
HEAD = "import torch\nfrom torch import nn\nimport torch.nn.functional as F\n"

RULE = "frozen-batchnorm-still-updates"
FREEZE = "for p in net.parameters():\n    p.requires_grad = False\n"
LOOP = """
for x, y in loader:
    optimizer.zero_grad()
    F.cross_entropy(head(net(x)), y).backward()
    optimizer.step()
"""
BUILD = "net = nn.Sequential(nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8))\n"


@pytest.mark.parametrize(
    "freeze",
    [
        FREEZE,
        "for p in net.parameters():\n    p.requires_grad_(False)\n",
        "for name, p in net.named_parameters():\n    p.requires_grad = False\n",
        "net.requires_grad_(False)\n",
    ],
)
def test_every_way_to_freeze_is_found(lines: Lines, freeze: str) -> None:
    assert len(lines(RULE, HEAD + BUILD + freeze + "net.train()" + LOOP)) == 1


def test_a_pretrained_network_of_torchvision_is_known(lines: Lines) -> None:
    source = "from torchvision import models\nnet = models.resnet18(weights='DEFAULT')\n"
    assert lines(RULE, HEAD + source + FREEZE + "net.train()" + LOOP) == [7]


def test_a_backbone_in_a_module_is_set_with_it(lines: Lines) -> None:
    source = """
import torchvision
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.backbone = torchvision.models.resnet50()
        self.backbone.requires_grad_(False)
        self.head = nn.Linear(1000, 2)
    def forward(self, x):
        return self.head(self.backbone(x))
model = Net()
model.train()
for x, y in loader:
    optimizer.zero_grad()
    F.cross_entropy(model(x), y).backward()
    optimizer.step()
"""
    assert lines(RULE, HEAD + source) == [10]


def test_a_module_that_overrides_train_is_fine(lines: Lines) -> None:
    source = """
import torchvision
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.backbone = torchvision.models.resnet50()
        self.backbone.requires_grad_(False)
    def train(self, mode=True):
        super().train(mode)
        return self
    def forward(self, x):
        return self.backbone(x)
model = Net()
model.train()
for x, y in loader:
    F.cross_entropy(model(x), y).backward()
"""
    assert lines(RULE, HEAD + source) == []


def test_the_mode_set_back_for_a_part_is_fine(lines: Lines) -> None:
    source = "net.train()\nfor m in net.modules():\n    m.eval()\n"
    assert lines(RULE, HEAD + BUILD + FREEZE + source + LOOP) == []


def test_evaluation_of_the_model_itself_is_no_remedy(lines: Lines) -> None:
    source = "net.eval()\nvalidate(net)\nnet.train()\n"
    assert lines(RULE, HEAD + BUILD + FREEZE + source + LOOP) == [6]


def test_a_model_that_is_set_free_again_is_fine(lines: Lines) -> None:
    again = "for p in net.parameters():\n    p.requires_grad = True\n"
    assert lines(RULE, HEAD + BUILD + FREEZE + again + "net.train()" + LOOP) == []


@pytest.mark.parametrize(
    "freeze",
    [
        "for n, p in net.named_parameters():\n    if 'head' not in n:\n        p.requires_grad = False\n",
        "for n, p in net.named_parameters():\n    if 'head' in n:\n        continue\n    p.requires_grad = False\n",
        "for p in net.parameters():\n    p.requires_grad = flag\n",
    ],
)
def test_parameters_that_are_picked_are_not_judged(lines: Lines, freeze: str) -> None:
    assert lines(RULE, HEAD + BUILD + freeze + "net.train()" + LOOP) == []


def test_a_model_without_batch_normalisation_is_fine(lines: Lines) -> None:
    source = "net = nn.Sequential(nn.Conv2d(3, 8, 3), nn.GroupNorm(2, 8))\n"
    assert lines(RULE, HEAD + source + FREEZE + "net.train()" + LOOP) == []


def test_an_unknown_model_is_not_guessed(lines: Lines) -> None:
    source = "net = build()\n"
    assert lines(RULE, HEAD + source + FREEZE + "net.train()" + LOOP) == []


def test_a_model_that_is_never_set_to_train_is_not_judged(lines: Lines) -> None:
    assert lines(RULE, HEAD + BUILD + FREEZE + "net.eval()" + LOOP) == []
