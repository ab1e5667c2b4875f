"""Where bias-before-norm speaks, and where it must not."""

from __future__ import annotations

from collections.abc import Callable
from textwrap import dedent

import pytest

from trainlint.core.diagnosis import Diagnosis
from trainlint.core.fix import apply_fixes

Lines = Callable[..., list[int]]
Diagnoses = Callable[..., list[Diagnosis]]
HEAD = "import torch\nfrom torch import nn\nimport torch.nn.functional as F\n"

RULE = "bias-before-norm"


@pytest.mark.parametrize(
    "layers",
    [
        "nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8)",
        "nn.Conv2d(3, 8, 3, bias=True), nn.BatchNorm2d(8)",
        "nn.ConvTranspose2d(3, n, 3), nn.BatchNorm2d(n)",
        "nn.Linear(9, 8), nn.BatchNorm1d(8), nn.ReLU()",
        "nn.Linear(9, width), nn.BatchNorm1d(width)",
    ],
)
def test_a_bias_right_in_front_of_a_batch_norm_is_found(lines: Lines, layers: str) -> None:
    assert lines(RULE, f"{HEAD}net = nn.Sequential({layers})") == [4]


def test_a_forward_is_followed(lines: Lines) -> None:
    source = """
class Block(nn.Module):
    def __init__(self, inputs, outputs):
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, 3)
        self.bn = nn.BatchNorm2d(outputs)
    def forward(self, x):
        return F.relu(self.bn(self.conv(x)))
"""
    assert lines(RULE, HEAD + source) == [8]


@pytest.mark.parametrize(
    "layers",
    [
        "nn.Conv2d(3, 8, 3, bias=False), nn.BatchNorm2d(8)",
        "nn.Conv2d(3, 8, 3, bias=not norm), nn.BatchNorm2d(8)",
        "nn.Conv2d(3, 8, 3), nn.ReLU(), nn.BatchNorm2d(8)",
        "nn.Conv2d(3, 8, 3), nn.GroupNorm(2, 8)",
        "nn.Linear(9, 8), nn.LayerNorm(8)",
        "nn.Linear(9, 8), nn.BatchNorm1d(30)",
        "nn.Conv2d(3, 8, 3, **settings), nn.BatchNorm2d(8)",
        "nn.Conv2d(3, 8, 3), Unknown(), nn.BatchNorm2d(8)",
    ],
)
def test_a_bias_with_an_effect_or_not_known_is_fine(lines: Lines, layers: str) -> None:
    assert lines(RULE, f"{HEAD}net = nn.Sequential({layers})") == []


def test_a_partial_may_have_no_bias(lines: Lines) -> None:
    source = """
from functools import partial
conv = partial(nn.Conv2d, kernel_size=3, bias=False)
net = nn.Sequential(conv(3, 8), nn.BatchNorm2d(8))
"""
    assert lines(RULE, HEAD + source) == []


def test_a_norm_that_an_if_decides_about_is_fine(lines: Lines) -> None:
    source = """
def block(norm):
    layers = [nn.Conv2d(3, 8, 3)]
    if norm:
        layers.append(nn.BatchNorm2d(8))
    layers.append(nn.ReLU())
    return nn.Sequential(*layers)
"""
    assert lines(RULE, HEAD + source) == []


def test_a_layer_with_another_use_is_fine(lines: Lines) -> None:
    source = """
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 3, 3)
        self.bn = nn.BatchNorm2d(3)
    def forward(self, x):
        x = self.bn(self.conv(x))
        return self.conv(x)
"""
    assert lines(RULE, HEAD + source) == []


def test_the_fix_leaves_the_bias_out(diagnoses: Diagnoses) -> None:
    source = HEAD + dedent(
        """
        net = nn.Sequential(nn.Linear(9, 8, True), nn.BatchNorm1d(8))
        """
    )
    (found,) = diagnoses(RULE, source)
    assert found.fix is not None
    assert "nn.Linear(9, 8, False)" in apply_fixes(source, [found.fix])[0]


def test_a_bias_that_the_file_fills_is_not_taken_away(diagnoses: Diagnoses) -> None:
    source = """
net = nn.Sequential(nn.Linear(9, 8), nn.BatchNorm1d(8))
nn.init.zeros_(net[0].bias)
"""
    (found,) = diagnoses(RULE, HEAD + source)
    assert found.fix is None
