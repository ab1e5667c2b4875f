"""Edge cases of selu-with-batch-norm."""

import pytest

RULE = "selu-with-batch-norm"


def test_a_normalisation_before_is_found(lines):
    assert lines(
        RULE,
        """
        from torch import nn
        net = nn.Sequential(
            nn.Linear(9, 9),
            nn.BatchNorm1d(9),
            nn.SELU(),
            nn.Linear(9, 1),
        )
    """,
    ) == [5]


def test_a_normalisation_after_is_found(lines):
    assert lines(
        RULE,
        """
        from torch import nn
        net = nn.Sequential(
            nn.Conv2d(3, 9, 3),
            nn.SELU(),
            nn.BatchNorm2d(9),
            nn.Conv2d(9, 9, 3),
        )
    """,
    ) == [6]


def test_modules_used_in_forward_are_found(lines):
    assert lines(
        RULE,
        """
        import torch.nn as nn
        import torch.nn.functional as F
        class Block(nn.Module):
            def __init__(self, c):
                super().__init__()
                self.conv = nn.Conv2d(c, c, 3, bias=False)
                self.bn = nn.BatchNorm2d(c)
            def forward(self, x):
                return F.selu(self.bn(self.conv(x)))
    """,
    ) == [8]


def test_an_activation_attribute_is_found(lines):
    assert lines(
        RULE,
        """
        from torch import nn
        class Block(nn.Module):
            def __init__(self, c):
                super().__init__()
                self.conv = nn.Conv1d(c, c, 3)
                self.norm = nn.BatchNorm1d(c)
                self.act = nn.SELU()
                self.out = nn.Conv1d(c, c, 1)
            def forward(self, x):
                h = self.conv(x)
                h = self.act(h)
                h = self.norm(h)
                return self.out(h)
    """,
    ) == [7]


@pytest.mark.parametrize(
    "layers",
    [
        "nn.Linear(9, 9), nn.SELU(), nn.Linear(9, 9), nn.SELU()",
        "nn.Linear(9, 9), nn.BatchNorm1d(9), nn.ReLU()",
        "nn.BatchNorm1d(9), nn.Linear(9, 9), nn.SELU()",
        "nn.Linear(9, 9), nn.BatchNorm1d(9), nn.ELU()",
        "nn.Linear(9, 9), nn.BatchNorm1d(9), nn.ReLU(), nn.Linear(9, 9), nn.SELU()",
        "nn.Linear(9, 9), nn.SELU(), nn.AlphaDropout(0.1)",
    ],
)
def test_other_stacks_are_fine(lines, layers):
    assert (
        lines(
            RULE,
            f"""
        from torch import nn
        net = nn.Sequential({layers}, nn.Linear(9, 1))
    """,
        )
        == []
    )


def test_a_table_of_activations_is_no_network(lines):
    assert (
        lines(
            RULE,
            """
        from torch import nn
        class Block(nn.Module):
            def __init__(self, c, act="selu"):
                super().__init__()
                self.conv = nn.Conv2d(c, c, 3)
                self.bn = nn.BatchNorm2d(c)
                self.act = {"selu": nn.SELU(), "relu": nn.ReLU()}[act]
            def forward(self, x):
                return self.act(self.bn(self.conv(x)))
    """,
        )
        == []
    )


def test_another_branch_is_fine(lines):
    assert (
        lines(
            RULE,
            """
        import torch
        from torch import nn
        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.a = nn.Linear(9, 9)
                self.b = nn.Linear(9, 9)
                self.bn = nn.BatchNorm1d(9)
            def forward(self, x, y):
                return torch.selu(self.a(x)), torch.relu(self.bn(self.b(y)))
    """,
        )
        == []
    )
