"""The number of dimensions that data has between the layers of a network."""

from __future__ import annotations

import pytest

HEAD = "from torch import nn\nimport torch\n"


def ranks(model, layers):
    (stack,) = model(f"{HEAD}net = nn.Sequential({layers}, nn.Identity())").sequentials()
    return stack.ranks


@pytest.mark.parametrize(
    ("layers", "rank"),
    [
        ("nn.Linear(1, 1)", None),
        ("nn.Conv1d(1, 1, 1)", 3),
        ("nn.Conv2d(1, 1, 1), nn.ReLU(), nn.MaxPool2d(2)", 4),
        ("nn.LazyConv3d(1, 1)", 5),
        ("nn.ConvTranspose2d(1, 1, 1), nn.BatchNorm2d(1)", 4),
        ("nn.Conv2d(1, 1, 1), nn.Flatten(), nn.Linear(1, 1)", 2),
        ("nn.Flatten(2)", 3),
        ("nn.Flatten(1, 2)", None),
        ("nn.Conv2d(1, 1, 1), Unknown()", None),
    ],
)
def test_layers_tell_how_many_dimensions_there_are(model, layers, rank):
    assert ranks(model, layers)[-1] == rank


@pytest.mark.parametrize(
    ("change", "rank"),
    [
        ("x.view(x.size(0), -1)", 2),
        ("x.view((1, 2, 3))", 3),
        ("x.view(size)", None),
        ("x.view(*sizes)", None),
        ("torch.reshape(x, (1, -1))", 2),
        ("x.permute(0, 2, 3, 1)", 4),
        ("x.unsqueeze(1)", 5),
        ("x.squeeze()", None),
        ("x.transpose(1, 2)", 4),
        ("torch.flatten(x, 1)", 2),
        ("x.flatten()", 1),
    ],
)
def test_changes_of_shape_tell_it_too(model, change, rank):
    source = f"""
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(1, 1, 1)
        self.last = nn.Identity()
    def forward(self, x):
        x = self.conv(x)
        return self.last({change})
"""
    stacks = [stack for stack in model(HEAD + source).stacks() if len(stack.steps) == 3]
    assert stacks[0].ranks[-1] == rank
