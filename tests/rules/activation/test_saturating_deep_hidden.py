"""Edge cases of saturating-deep-hidden."""

import pytest

RULE = "saturating-deep-hidden"


def test_a_deep_sigmoid_stack_is_found_once(lines):
    assert lines(
        RULE,
        """
        from torch import nn
        net = nn.Sequential(
            nn.Linear(9, 64), nn.Sigmoid(),
            nn.Linear(64, 64), nn.Sigmoid(),
            nn.Linear(64, 64), nn.Sigmoid(),
            nn.Linear(64, 64), nn.Sigmoid(),
            nn.Linear(64, 1),
        )
    """,
    ) == [4]


def test_a_function_in_forward_is_found(lines):
    assert lines(
        RULE,
        """
        import torch
        from torch import nn
        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.l1 = nn.Linear(9, 64)
                self.l2 = nn.Linear(64, 64)
                self.l3 = nn.Linear(64, 64)
                self.l4 = nn.Linear(64, 64)
                self.out = nn.Linear(64, 1)
            def forward(self, x):
                x = torch.sigmoid(self.l1(x))
                x = torch.sigmoid(self.l2(x))
                x = torch.sigmoid(self.l3(x))
                x = torch.sigmoid(self.l4(x))
                return self.out(x)
    """,
    ) == [13]


def test_a_stack_built_in_a_loop_is_found(lines):
    assert lines(
        RULE,
        """
        import torch.nn as nn
        layers = [nn.Linear(9, 64), nn.Sigmoid()]
        for _ in range(5):
            layers += [nn.Linear(64, 64), nn.Sigmoid()]
        layers.append(nn.Linear(64, 1))
        net = nn.Sequential(*layers)
    """,
    ) == [3]


def test_one_activation_module_used_for_all_layers_is_found(lines):
    assert lines(
        RULE,
        """
        from torch import nn
        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.l1 = nn.Linear(9, 64)
                self.l2 = nn.Linear(64, 64)
                self.l3 = nn.Linear(64, 64)
                self.l4 = nn.Linear(64, 64)
                self.out = nn.Linear(64, 1)
                self.act = nn.Sigmoid()
            def forward(self, x):
                x = self.act(self.l1(x))
                x = self.act(self.l2(x))
                x = self.act(self.l3(x))
                x = self.act(self.l4(x))
                return self.out(x)
    """,
    ) == [11]


def test_a_comprehension_with_a_literal_range_is_found(lines):
    assert lines(
        RULE,
        """
        from torch import nn
        net = nn.Sequential(
            *[nn.Sequential(nn.Linear(64, 64), nn.Sigmoid()) for _ in range(6)],
            nn.Linear(64, 1),
        )
    """,
    ) == [4]


@pytest.mark.parametrize(
    "layers",
    [
        "nn.Linear(9, 9), nn.Sigmoid(), " * 3,
        "nn.Linear(9, 9), nn.BatchNorm1d(9), nn.Sigmoid(), " * 6,
        "nn.Linear(9, 9), nn.Sigmoid(), nn.LayerNorm(9), " * 6,
        "nn.Linear(9, 9), nn.ReLU(), " * 6,
        "nn.Linear(9, 9), nn.ReLU(), nn.Linear(9, 9), nn.Sigmoid(), " * 3,
    ],
)
def test_shallow_normalised_or_mixed_stacks_are_fine(lines, layers):
    assert (
        lines(
            RULE,
            f"""
        from torch import nn
        net = nn.Sequential({layers} nn.Linear(9, 1))
    """,
        )
        == []
    )


def test_the_output_does_not_count(lines):
    assert (
        lines(
            RULE,
            """
        from torch import nn
        net = nn.Sequential(
            nn.Linear(9, 9), nn.Sigmoid(), nn.Linear(9, 9), nn.Sigmoid(), nn.Linear(9, 9), nn.Sigmoid(),
            nn.Linear(9, 1), nn.Sigmoid())
    """,
        )
        == []
    )


def test_skip_connections_are_fine(lines):
    assert (
        lines(
            RULE,
            """
        import torch
        from torch import nn
        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.l1 = nn.Linear(64, 64)
                self.l2 = nn.Linear(64, 64)
                self.l3 = nn.Linear(64, 64)
                self.l4 = nn.Linear(64, 64)
                self.l5 = nn.Linear(64, 64)
            def forward(self, x):
                x = x + torch.sigmoid(self.l1(x))
                x = x + torch.sigmoid(self.l2(x))
                x = x + torch.sigmoid(self.l3(x))
                x = x + torch.sigmoid(self.l4(x))
                return self.l5(x)
    """,
        )
        == []
    )


def test_recurrent_gates_are_fine(lines):
    assert (
        lines(
            RULE,
            """
        import torch
        from torch import nn
        class LSTMCell(nn.Module):
            def __init__(self, n):
                super().__init__()
                self.i = nn.Linear(n, n)
                self.f = nn.Linear(n, n)
                self.o = nn.Linear(n, n)
                self.g = nn.Linear(n, n)
            def forward(self, x, h, c):
                i = torch.sigmoid(self.i(x))
                f = torch.sigmoid(self.f(x))
                o = torch.sigmoid(self.o(x))
                g = torch.tanh(self.g(x))
                c = f * c + i * g
                return o * torch.tanh(c), c
    """,
        )
        == []
    )


def test_four_separate_heads_are_not_deep(lines):
    assert (
        lines(
            RULE,
            """
        import torch
        from torch import nn
        class Heads(nn.Module):
            def __init__(self, n):
                super().__init__()
                self.a, self.b = nn.Linear(n, n), nn.Linear(n, n)
                self.c, self.d = nn.Linear(n, n), nn.Linear(n, n)
            def forward(self, x):
                return (torch.sigmoid(self.a(x)), torch.sigmoid(self.b(x)),
                        torch.sigmoid(self.c(x)), torch.sigmoid(self.d(x)))
    """,
        )
        == []
    )


@pytest.mark.parametrize(("depth", "found"), [(4, []), (11, []), (12, [4])])
def test_it_takes_three_tanh_to_lose_what_one_sigmoid_loses(lines, depth, found):
    """LeNet-5 has four, and trains; of twelve as torch draws them the first has 4e-4 of the gradient."""
    source = f"""
        from torch import nn
        net = nn.Sequential(
            *[nn.Sequential(nn.Linear(64, 64), nn.Tanh()) for _ in range({depth})],
            nn.Linear(64, 1),
        )
    """
    assert lines(RULE, source) == found


def test_tanh_with_glorots_initialisation_is_his_own_recipe(lines):
    assert (
        lines(
            RULE,
            """
        from torch import nn
        net = nn.Sequential(
            *[nn.Sequential(nn.Linear(9, 9), nn.Tanh()) for _ in range(12)], nn.Linear(9, 1))
        for m in net.modules():
            if isinstance(m, nn.Linear):
                nn.init.xavier_uniform_(m.weight)
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
        net = nn.Sequential(
            nn.Linear(2, 20), nn.Tanh(),
            *[nn.Sequential(nn.Linear(20, 20), nn.Tanh()) for _ in range(12)], nn.Linear(20, 1))
        def residual(x):
            u = net(x)
            du = torch.autograd.grad(u.sum(), x, create_graph=True)[0]
            return torch.autograd.grad(du.sum(), x, create_graph=True)[0]
    """,
        )
        == []
    )


def test_a_depth_from_a_configuration_is_not_guessed(lines):
    assert (
        lines(
            RULE,
            """
        from torch import nn
        def mlp(depth, width):
            layers = []
            for _ in range(depth):
                layers += [nn.Linear(width, width), nn.Sigmoid()]
            return nn.Sequential(*layers, nn.Linear(width, 1))
    """,
        )
        == []
    )
