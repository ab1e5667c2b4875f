"""Where norm-rank-mismatch speaks, and where it must not."""

from __future__ import annotations

from collections.abc import Callable
from textwrap import dedent

import pytest

from trainlint.core.diagnosis import Diagnosis
from trainlint.core.fix import apply_fixes

Lines = Callable[..., list[int]]
Diagnoses = Callable[..., list[Diagnosis]]
HEAD = "import torch\nfrom torch import nn\nimport torch.nn.functional as F\n"

RULE = "norm-rank-mismatch"


@pytest.mark.parametrize(
    "layers",
    [
        "nn.Conv2d(3, 8, 3), nn.BatchNorm1d(8)",
        "nn.Conv1d(3, 8, 3), nn.ReLU(), nn.BatchNorm2d(8)",
        "nn.Conv3d(3, 8, 3), nn.MaxPool3d(2), nn.InstanceNorm2d(8)",
        "nn.Conv2d(3, 8, 3), nn.Flatten(), nn.Linear(8, 8), nn.BatchNorm2d(8)",
        "nn.Linear(9, 8), nn.BatchNorm2d(8)",
        "nn.Conv2d(3, 8, 3), nn.Dropout1d(0.1)",
    ],
)
def test_a_layer_of_another_rank_is_found(lines: Lines, layers: str) -> None:
    assert lines(RULE, f"{HEAD}net = nn.Sequential({layers})") == [4]


def test_a_forward_is_followed(diagnoses: Diagnoses) -> None:
    source = """
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(1, 10, 5)
        self.drop = nn.Dropout2d()
        self.fc = nn.Linear(320, 50)
        self.late = nn.Dropout2d()
    def forward(self, x):
        x = self.drop(F.relu(self.conv(x)))
        x = x.view(-1, 320)
        return self.late(F.relu(self.fc(x)))
"""
    (found,) = diagnoses(RULE, HEAD + source)
    assert found.span.line == 11
    assert found.severity == "warning"


def test_features_by_a_parameter_are_compared_as_written(lines: Lines) -> None:
    source = """
def block(inputs, width):
    return nn.Sequential(nn.Linear(inputs, width), nn.BatchNorm2d(width))
"""
    assert lines(RULE, HEAD + source) == [6]


@pytest.mark.parametrize(
    "layers",
    [
        "nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8), nn.Dropout2d(0.1)",
        "nn.Conv1d(3, 8, 3), nn.BatchNorm1d(8), nn.Dropout2d(0.1)",
        "nn.Linear(9, 8), nn.BatchNorm1d(8)",
        "nn.Linear(9, 8), nn.Dropout2d(0.1)",
        "nn.Conv2d(3, 8, 3), nn.Flatten(2), nn.BatchNorm1d(8)",
        "nn.Conv2d(3, 8, 3), nn.Flatten(2, 3), nn.BatchNorm1d(8)",
        "nn.Conv2d(3, 8, 3), Squeeze(), nn.BatchNorm1d(8)",
        "nn.Conv2d(3, 8, 3), nn.SyncBatchNorm(8)",
        "nn.Conv2d(3, 8, 3), nn.GroupNorm(2, 8)",
    ],
)
def test_what_fits_or_is_not_known_is_fine(lines: Lines, layers: str) -> None:
    assert lines(RULE, f"{HEAD}net = nn.Sequential({layers})") == []


@pytest.mark.parametrize(
    "layers",
    ["nn.Linear(f, f // 4), nn.BatchNorm2d(c)", "nn.Linear(64, 16), nn.BatchNorm2d(24)"],
)
def test_a_linear_layer_over_the_last_axis_of_maps_is_fine(lines: Lines, layers: str) -> None:
    assert lines(RULE, f"{HEAD}net = nn.Sequential({layers})") == []


def test_a_square_linear_layer_tells_nothing(lines: Lines) -> None:
    source = f"{HEAD}net = nn.Sequential(nn.Linear(8, 8), nn.BatchNorm2d(8))"
    assert lines(RULE, source) == []


@pytest.mark.parametrize(
    "change",
    ["x.view(x.size(0), -1)", "x.flatten(1)", "torch.flatten(x, 1)", "x.reshape((-1, 8))"],
)
def test_every_way_to_flatten_is_understood(lines: Lines, change: str) -> None:
    source = f"""
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(1, 8, 5)
        self.bn = nn.BatchNorm2d(8)
    def forward(self, x):
        x = self.conv(x)
        x = {change}
        return self.bn(x)
"""
    assert lines(RULE, HEAD + source) == [9]


def test_a_layer_that_an_if_chooses_is_fine(lines: Lines) -> None:
    source = """
layers = [nn.Conv2d(3, 8, 3)]
if flat:
    layers.append(nn.Flatten())
    layers.append(nn.BatchNorm1d(8))
net = nn.Sequential(*layers)
"""
    assert lines(RULE, HEAD + source) == []


def test_the_fix_takes_the_layer_that_fits(diagnoses: Diagnoses) -> None:
    source = HEAD + dedent(
        """
        net = nn.Sequential(nn.Conv3d(3, 8, 3), nn.BatchNorm2d(8, eps=1e-3))
        """
    )
    (found,) = diagnoses(RULE, source)
    assert found.fix is not None
    assert "nn.BatchNorm3d(8, eps=1e-3)" in apply_fixes(source, [found.fix])[0]


def test_a_name_that_is_not_imported_is_not_put_in(diagnoses: Diagnoses) -> None:
    source = "from torch.nn import BatchNorm1d, Conv2d, Sequential\n"
    (found,) = diagnoses(RULE, f"{source}net = Sequential(Conv2d(3, 8, 3), BatchNorm1d(8))")
    assert found.fix is None
