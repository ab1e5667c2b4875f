"""Edge cases of weaker-activation."""

import pytest

RULE = "weaker-activation"


def test_hidden_sigmoids_are_found(lines):
    assert lines(
        RULE,
        """
        from torch import nn
        net = nn.Sequential(
            nn.Linear(9, 64),
            nn.Sigmoid(),
            nn.Linear(64, 64),
            nn.Sigmoid(),
            nn.Linear(64, 1),
        )
    """,
    ) == [5, 7]


def test_a_functional_tanh_is_found(lines):
    assert lines(
        RULE,
        """
        import torch
        from torch import nn
        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.conv = nn.Conv2d(3, 8, 3)
                self.out = nn.Conv2d(8, 3, 3)
            def forward(self, x):
                x = torch.tanh(self.conv(x))
                return self.out(x)
    """,
    ) == [10]


def test_a_module_attribute_is_found(lines):
    assert lines(
        RULE,
        """
        from torch import nn
        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.fc = nn.Linear(9, 9)
                self.act = nn.Tanh()
                self.out = nn.Linear(9, 1)
            def forward(self, x):
                return self.out(self.act(self.fc(x)))
    """,
    ) == [7]


def test_a_pool_or_norm_between_is_found(lines):
    assert lines(
        RULE,
        """
        import torch.nn.functional as F
        from torch import nn
        class LeNet(nn.Module):
            def __init__(self):
                super().__init__()
                self.conv1 = nn.Conv2d(1, 6, 5)
                self.conv2 = nn.Conv2d(6, 16, 5)
            def forward(self, x):
                x = F.max_pool2d(F.sigmoid(self.conv1(x)), 2)
                return self.conv2(x)
    """,
    ) == [10]


def test_a_stricter_threshold_speaks_of_relu(lines):
    source = """
        from torch import nn
        net = nn.Sequential(nn.Linear(9, 64), nn.ReLU(), nn.Linear(64, 1))
    """
    assert lines(RULE, source) == []
    assert lines(RULE, source, weakest="elu") == [3]


@pytest.mark.parametrize(
    "activation",
    [
        "nn.ReLU()",
        "nn.LeakyReLU(0.2)",
        "nn.ELU()",
        "nn.SELU()",
        "nn.GELU()",
        "nn.SiLU()",
        "nn.Mish()",
        "nn.PReLU()",
        "nn.Hardswish()",
        "nn.Softplus()",
        "nn.Identity()",
        "act()",
    ],
)
def test_stronger_or_unknown_activations_are_fine(lines, activation):
    assert (
        lines(
            RULE,
            f"""
        from torch import nn
        def build(act):
            return nn.Sequential(nn.Linear(9, 64), {activation}, nn.Linear(64, 1))
    """,
        )
        == []
    )


def test_an_output_is_not_hidden(lines):
    assert (
        lines(
            RULE,
            """
        import torch
        from torch import nn
        class Generator(nn.Module):
            def __init__(self):
                super().__init__()
                self.net = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 784), nn.Tanh())
            def forward(self, z):
                return torch.sigmoid(self.net(z))
    """,
        )
        == []
    )


def test_a_gate_is_not_hidden(lines):
    assert (
        lines(
            RULE,
            """
        import torch
        from torch import nn
        class GatedUnit(nn.Module):
            def __init__(self, c):
                super().__init__()
                self.a = nn.Conv1d(c, c, 3)
                self.b = nn.Conv1d(c, c, 3)
                self.out = nn.Conv1d(c, c, 1)
            def forward(self, x):
                return self.out(torch.tanh(self.a(x)) * torch.sigmoid(self.b(x)))
    """,
        )
        == []
    )


def test_an_attention_score_is_not_hidden(lines):
    assert (
        lines(
            RULE,
            """
        import torch
        from torch import nn
        class AdditiveAttention(nn.Module):
            def __init__(self, n):
                super().__init__()
                self.W = nn.Linear(n, n)
                self.U = nn.Linear(n, n)
                self.v = nn.Linear(n, 1)
            def forward(self, q, k):
                return self.v(torch.tanh(self.W(q) + self.U(k)))
    """,
        )
        == []
    )


def test_a_tanh_that_is_initialised_for_is_a_choice(lines):
    assert (
        lines(
            RULE,
            """
        import numpy as np
        import torch
        from torch import nn
        def layer_init(layer, std=np.sqrt(2), bias_const=0.0):
            torch.nn.init.orthogonal_(layer.weight, std)
            torch.nn.init.constant_(layer.bias, bias_const)
            return layer
        class Agent(nn.Module):
            def __init__(self, n):
                super().__init__()
                self.critic = nn.Sequential(
                    layer_init(nn.Linear(n, 64)), nn.Tanh(),
                    layer_init(nn.Linear(64, 64)), nn.Tanh(),
                    layer_init(nn.Linear(64, 1), std=1.0),
                )
            def forward(self, x):
                return self.critic(x)
    """,
        )
        == []
    )


def test_a_physics_informed_network_needs_a_smooth_activation(lines):
    assert (
        lines(
            RULE,
            """
        import torch
        from torch import nn
        net = nn.Sequential(nn.Linear(2, 20), nn.Tanh(), nn.Linear(20, 1))
        def residual(x):
            return torch.autograd.grad(net(x).sum(), x, create_graph=True)[0]
    """,
        )
        == []
    )


def test_a_recurrent_layer_is_not_meant(lines):
    assert (
        lines(
            RULE,
            """
        import torch
        from torch import nn
        class RNN(nn.Module):
            def __init__(self, n):
                super().__init__()
                self.rnn = nn.RNN(n, n, nonlinearity="tanh")
                self.i2h = nn.Linear(2 * n, n)
                self.h2o = nn.Linear(n, n)
            def forward(self, x, h):
                h = torch.tanh(self.i2h(torch.cat((x, h), 1)))
                return self.h2o(h), h
    """,
        )
        == []
    )
