"""Edge cases of kaiming-slope-mismatch."""

import pytest

RULE = "kaiming-slope-mismatch"


@pytest.mark.parametrize(
    "slope", ["math.sqrt(5)", "5 ** 0.5", "np.sqrt(5)", "2.23606797749979", "1"]
)
def test_the_slope_of_torch_before_relu_is_found(lines, slope):
    assert lines(
        RULE,
        f"""
        import math
        import numpy as np
        import torch.nn.functional as F
        from torch import nn
        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.conv = nn.Conv2d(3, 8, 3)
                nn.init.kaiming_uniform_(self.conv.weight, a={slope})
            def forward(self, x):
                return F.relu(self.conv(x))
    """,
    ) == [10]


def test_a_positional_slope_is_found(lines):
    assert lines(
        RULE,
        """
        from math import sqrt
        from torch import nn
        from torch.nn import init
        net = nn.Sequential(nn.Linear(9, 64), nn.ReLU(), nn.Linear(64, 1))
        init.kaiming_uniform_(net[0].weight, sqrt(5))
    """,
    ) == [6]


def test_a_loop_over_modules_is_found(lines):
    assert lines(
        RULE,
        """
        import math
        import torch
        class Net(torch.nn.Module):
            def __init__(self):
                super().__init__()
                self.a = torch.nn.Linear(8, 8)
                self.b = torch.nn.Linear(8, 8)
                self.c = torch.nn.Linear(8, 1)
                self.init_weights()
            def init_weights(self):
                for module in self.modules():
                    if isinstance(module, torch.nn.Linear):
                        torch.nn.init.kaiming_uniform_(module.weight, a=math.sqrt(5))
            def forward(self, x):
                return self.c(self.b(self.a(x).relu()).relu())
    """,
    ) == [14]


def test_a_leaky_relu_of_another_slope_is_found(lines):
    assert lines(
        RULE,
        """
        from torch import nn
        net = nn.Sequential(nn.Linear(9, 64), nn.LeakyReLU(0.01), nn.Linear(64, 1))
        nn.init.kaiming_normal_(net[0].weight, a=1.0, nonlinearity='leaky_relu')
    """,
    ) == [4]


def test_a_module_constant_is_followed(lines):
    assert lines(
        RULE,
        """
        import torch.nn as nn
        SLOPE = 5 ** 0.5
        def init(m):
            if isinstance(m, nn.Conv2d):
                nn.init.kaiming_uniform_(m.weight, a=SLOPE)
        net = nn.Sequential(nn.Conv2d(3, 8, 3), nn.ReLU(), nn.Conv2d(8, 8, 3), nn.ReLU())
        net.apply(init)
    """,
    ) == [6]


@pytest.mark.parametrize(
    ("init", "activation"),
    [
        ("", "nn.ReLU()"),
        (", a=0", "nn.ReLU()"),
        (", a=0.2", "nn.ReLU()"),
        (", a=0.2", "nn.LeakyReLU(0.2)"),
        ("", "nn.LeakyReLU(0.2)"),
        (", a=0.1", "nn.LeakyReLU(0.1)"),
        (", a=0.25", "nn.PReLU()"),
        (", mode='fan_out', nonlinearity='relu'", "nn.ReLU(inplace=True)"),
        (", mode='fan_out', nonlinearity='leaky_relu'", "nn.LeakyReLU()"),
        (", a=5 ** 0.5, nonlinearity='relu'", "nn.ReLU()"),
        (", a=5 ** 0.5", "nn.Tanh()"),
        (", a=5 ** 0.5", "nn.GELU()"),
        (", a=5 ** 0.5", "nn.LeakyReLU(slope)"),
        (", a=slope", "nn.ReLU()"),
    ],
)
def test_a_gain_within_ten_percent_or_unknown_is_fine(lines, init, activation):
    assert (
        lines(
            RULE,
            f"""
        from torch import nn
        def build(slope):
            net = nn.Sequential(nn.Linear(9, 64), {activation}, nn.Linear(64, 1))
            nn.init.kaiming_uniform_(net[0].weight{init})
            return net
    """,
        )
        == []
    )


def test_the_default_of_torch_that_nobody_wrote_is_fine(lines):
    assert (
        lines(
            RULE,
            """
        from torch import nn
        net = nn.Sequential(nn.Linear(9, 64), nn.ReLU(), nn.Linear(64, 1))
    """,
        )
        == []
    )


def test_a_lora_matrix_is_no_layer(lines):
    assert (
        lines(
            RULE,
            """
        import math
        import torch
        from torch import nn
        class LoRALinear(nn.Module):
            def __init__(self, i, o, r):
                super().__init__()
                self.linear = nn.Linear(i, o)
                self.lora_A = nn.Parameter(torch.empty(r, i))
                self.lora_B = nn.Parameter(torch.zeros(o, r))
                nn.init.kaiming_uniform_(self.lora_A, a=math.sqrt(5))
            def forward(self, x):
                return torch.relu(self.linear(x) + x @ self.lora_A.T @ self.lora_B.T)
    """,
        )
        == []
    )


def test_the_weight_of_a_layer_class_of_their_own_is_fine(lines):
    assert (
        lines(
            RULE,
            """
        import math
        import torch
        import torch.nn.functional as F
        from torch import nn
        class MaskedLinear(nn.Module):
            def __init__(self, i, o):
                super().__init__()
                self.weight = nn.Parameter(torch.empty(o, i))
                self.reset_parameters()
            def reset_parameters(self):
                nn.init.kaiming_uniform_(self.weight, a=math.sqrt(5))
            def forward(self, x):
                return F.linear(x, self.weight)
    """,
        )
        == []
    )


def test_a_normalisation_between_is_fine(lines):
    assert (
        lines(
            RULE,
            """
        from torch import nn
        net = nn.Sequential(nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8), nn.ReLU())
        nn.init.kaiming_uniform_(net[0].weight, a=5 ** 0.5)
    """,
        )
        == []
    )


def test_mixed_activations_under_one_loop_are_left_alone(lines):
    assert (
        lines(
            RULE,
            """
        from torch import nn
        net = nn.Sequential(nn.Linear(8, 8), nn.ReLU(), nn.Linear(8, 8), nn.Tanh(), nn.Linear(8, 1))
        for m in net.modules():
            if isinstance(m, nn.Linear):
                nn.init.kaiming_uniform_(m.weight, a=5 ** 0.5)
    """,
        )
        == []
    )


def test_a_layer_without_activation_is_fine(lines):
    assert (
        lines(
            RULE,
            """
        import math
        from torch import nn
        class Head(nn.Module):
            def __init__(self):
                super().__init__()
                self.proj = nn.Linear(8, 8)
                nn.init.kaiming_uniform_(self.proj.weight, a=math.sqrt(5))
            def forward(self, x):
                return self.proj(x)
    """,
        )
        == []
    )
