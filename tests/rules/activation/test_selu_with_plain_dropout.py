"""Edge cases of selu-with-plain-dropout."""

import pytest

RULE = "selu-with-plain-dropout"


def test_a_sequential_is_found(lines):
    assert lines(
        RULE,
        """
        from torch import nn
        net = nn.Sequential(nn.Linear(9, 9), nn.SELU(), nn.Dropout(0.1), nn.Linear(9, 1))
    """,
    ) == [3]


def test_modules_used_in_forward_are_found(lines):
    assert lines(
        RULE,
        """
        import torch.nn as nn
        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.fc = nn.Linear(9, 9)
                self.act = nn.SELU(inplace=True)
                self.drop = nn.Dropout(p=0.2)
                self.out = nn.Linear(9, 1)
            def forward(self, x):
                x = self.act(self.fc(x))
                x = self.drop(x)
                return self.out(x)
    """,
    ) == [8]


def test_functional_calls_are_found(lines):
    assert lines(
        RULE,
        """
        import torch.nn.functional as F
        from torch import nn
        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.fc = nn.Linear(9, 9)
                self.out = nn.Linear(9, 1)
            def forward(self, x):
                x = F.selu(self.fc(x))
                x = F.dropout(x, 0.1, training=self.training)
                return self.out(x)
    """,
    ) == [11]


def test_a_flatten_or_pool_between_is_found(lines):
    assert lines(
        RULE,
        """
        import torch
        from torch import nn
        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.conv = nn.Conv2d(3, 8, 3)
                self.pool = nn.MaxPool2d(2)
                self.drop = nn.Dropout2d(0.2)
                self.out = nn.Linear(8, 1)
            def forward(self, x):
                x = self.pool(torch.selu(self.conv(x)))
                x = self.drop(x)
                return self.out(torch.flatten(x, 1))
    """,
    ) == [9]


def test_a_list_of_layers_is_found(lines):
    assert lines(
        RULE,
        """
        from torch import nn
        layers = []
        for _ in range(3):
            layers.append(nn.Linear(64, 64))
            layers.append(nn.SELU())
            layers.append(nn.Dropout(0.1))
        net = nn.Sequential(*layers, nn.Linear(64, 1))
    """,
    ) == [7]


@pytest.mark.parametrize(
    "layers",
    [
        "nn.SELU(), nn.AlphaDropout(0.1)",
        "nn.SELU(), nn.FeatureAlphaDropout(0.1)",
        "nn.ReLU(), nn.Dropout(0.1)",
        "nn.ELU(), nn.Dropout(0.1)",
        "nn.SELU(), nn.Dropout(0.0)",
        "nn.SELU(), nn.BatchNorm1d(9), nn.Dropout(0.1)",
        "nn.SELU(), nn.Linear(9, 9), nn.ReLU(), nn.Dropout(0.1)",
    ],
)
def test_other_layers_are_fine(lines, layers):
    assert (
        lines(
            RULE,
            f"""
        from torch import nn
        net = nn.Sequential(nn.Linear(9, 9), {layers}, nn.Linear(9, 1))
    """,
        )
        == []
    )


def test_a_dropout_on_the_input_is_fine(lines):
    assert (
        lines(
            RULE,
            """
        from torch import nn
        net = nn.Sequential(nn.Dropout(0.1), nn.Linear(9, 9), nn.SELU(), nn.Linear(9, 1))
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
        ACT = {"selu": nn.SELU(), "relu": nn.ReLU()}
        class Net(nn.Module):
            def __init__(self, act):
                super().__init__()
                self.fc = nn.Linear(9, 9)
                self.act = ACT[act]
                self.drop = nn.Dropout(0.1)
            def forward(self, x):
                return self.drop(self.act(self.fc(x)))
    """,
        )
        == []
    )


def test_a_dropout_in_another_branch_is_fine(lines):
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
                self.drop = nn.Dropout(0.1)
            def forward(self, x, y):
                return torch.selu(self.a(x)), self.drop(torch.relu(self.b(y)))
    """,
        )
        == []
    )


def test_the_fix_takes_alpha_dropout(diagnoses):
    (one,) = diagnoses(
        RULE,
        """
        from torch import nn
        net = nn.Sequential(nn.Linear(9, 9), nn.SELU(), nn.Dropout(0.1), nn.Linear(9, 1))
    """,
    )
    assert one.fix is not None
    assert "AlphaDropout" in "".join(edit.replacement for edit in one.fix.edits)


def test_a_functional_dropout_without_mode_gets_no_fix(diagnoses):
    (one,) = diagnoses(
        RULE,
        """
        import torch.nn.functional as F
        from torch import nn
        class Net(nn.Module):
            def forward(self, x):
                return F.dropout(F.selu(x), 0.1)
    """,
    )
    assert one.fix is None
