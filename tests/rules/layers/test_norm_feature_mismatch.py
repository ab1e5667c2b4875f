"""Where norm-feature-mismatch speaks, and where it must not."""

from __future__ import annotations

from collections.abc import Callable

import pytest

Lines = Callable[..., list[int]]
HEAD = "import torch\nfrom torch import nn\nimport torch.nn.functional as F\n"

RULE = "norm-feature-mismatch"


@pytest.mark.parametrize(
    "layers",
    [
        "nn.Conv2d(3, 64, 3), nn.BatchNorm2d(32)",
        "nn.Conv2d(3, 64, 3), nn.ReLU(), nn.Dropout2d(0.1), nn.BatchNorm2d(32)",
        "nn.Conv1d(3, 64, 3), nn.GroupNorm(8, 32)",
        "nn.Conv2d(3, 64, 3), nn.InstanceNorm2d(32, affine=True)",
        "nn.ConvTranspose2d(3, 64, 3), nn.SyncBatchNorm(32)",
        "nn.Linear(9, 64), nn.LayerNorm(32)",
        "nn.Embedding(100, 64), nn.LayerNorm(32)",
        "nn.Flatten(), nn.Linear(9, 64), nn.BatchNorm1d(32)",
    ],
)
def test_two_known_numbers_that_differ_are_found(lines: Lines, layers: str) -> None:
    assert lines(RULE, f"{HEAD}net = nn.Sequential({layers})") == [4]


def test_layers_of_a_module_are_followed_through_forward(lines: Lines) -> None:
    source = """
WIDTH = 64
class Net(nn.Module):
    def __init__(self, classes):
        super().__init__()
        self.conv = nn.Conv2d(3, WIDTH * 2, 3)
        self.bn = nn.BatchNorm2d(WIDTH)
    def forward(self, x):
        return F.relu(self.bn(self.conv(x)))
"""
    assert lines(RULE, HEAD + source) == [10]


def test_a_list_that_grows_is_followed(lines: Lines) -> None:
    source = """
layers = [nn.Conv2d(3, 64, 3)]
layers.append(nn.BatchNorm2d(128))
net = nn.Sequential(*layers)
"""
    assert lines(RULE, HEAD + source) == [6]


def test_the_parameter_of_a_module_is_followed_to_what_the_file_passes(lines: Lines) -> None:
    source = """
class Block(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.body = nn.Sequential(nn.Conv2d(3, width, 3), nn.BatchNorm2d(32))
block = Block(64)
"""
    assert lines(RULE, HEAD + source) == [8]


def test_the_same_number_is_fine(lines: Lines) -> None:
    source = f"{HEAD}C = 64\nnet = nn.Sequential(nn.Conv2d(3, 64, 3), nn.BatchNorm2d(C))"
    assert lines(RULE, source) == []


def test_a_number_that_a_loop_changes_is_not_guessed(lines: Lines) -> None:
    source = """
def build():
    layers, width = [], 64
    for out in (128, 128):
        layers += [nn.BatchNorm2d(width), nn.ReLU(), nn.Conv2d(width, 128, 3)]
        width = 128
    return nn.Sequential(*layers)
"""
    assert lines(RULE, HEAD + source) == []


def test_a_default_that_callers_may_change_is_not_guessed(lines: Lines) -> None:
    source = """
def block(width=64):
    return nn.Sequential(nn.Conv2d(3, width, 3), nn.BatchNorm2d(32))
"""
    assert lines(RULE, HEAD + source) == []


def test_a_helper_that_gives_back_each_layer_it_is_given_is_seen_through(lines: Lines) -> None:
    source = """
def init(layer, std=1.0):
    nn.init.orthogonal_(layer.weight, std)
    return layer
net = nn.Sequential(
    init(nn.Linear(9, 120)),
    nn.LayerNorm(120),
    init(nn.Linear(120, 84)),
    nn.LayerNorm(84),
)
"""
    assert lines(RULE, HEAD + source) == []


def test_one_of_two_layers_is_not_guessed(lines: Lines) -> None:
    source = """
conv = nn.Conv2d(3, 64, 3) if small else nn.Conv2d(3, 32, 3)
net = nn.Sequential(conv, nn.BatchNorm2d(32))
"""
    assert lines(RULE, HEAD + source) == []


@pytest.mark.parametrize(
    "layers",
    [
        "nn.Linear(9, 64), nn.BatchNorm1d(30)",
        "nn.Linear(9, 64), nn.GroupNorm(1, 30)",
        "nn.Conv2d(3, 64, 3), nn.LayerNorm(30)",
        "nn.Conv2d(3, 64, 3), nn.InstanceNorm2d(32)",
        "nn.Conv2d(3, 64, 3), nn.PixelShuffle(2), nn.BatchNorm2d(16)",
        "nn.Conv2d(3, 64, 3), nn.GLU(dim=1), nn.BatchNorm2d(32)",
        "nn.Conv2d(3, 64, 3), Unknown(), nn.BatchNorm2d(32)",
        "nn.Conv2d(3, 64, 3), nn.Flatten(), nn.BatchNorm1d(6400)",
    ],
)
def test_what_may_be_another_axis_is_fine(lines: Lines, layers: str) -> None:
    assert lines(RULE, f"{HEAD}net = nn.Sequential({layers})") == []


def test_a_norm_that_fits_beside_it_shows_which_axis_is_meant(lines: Lines) -> None:
    source = f"""{HEAD}net = nn.Sequential(
    nn.Linear(9, 64), nn.BatchNorm1d(64), nn.ReLU(),
    nn.Linear(64, 16), nn.BatchNorm1d(32),
)
"""
    assert lines(RULE, source) == [6]


def test_a_test_that_expects_the_error_is_fine(lines: Lines) -> None:
    source = """
import pytest
with pytest.raises(RuntimeError):
    nn.Sequential(nn.Conv2d(3, 64, 3), nn.BatchNorm2d(32))(x)
"""
    assert lines(RULE, HEAD + source) == []


def test_a_toy_model_of_a_test_is_fine(lines: Lines) -> None:
    source = HEAD + "nn.Sequential(nn.Conv2d(3, 64, 3), nn.BatchNorm2d(32))\n"
    assert lines(RULE, source) != []
    assert lines(RULE, source, path="test_net.py") == []
