"""Edge cases of kaiming-init-before-saturating."""

import pytest

RULE = "kaiming-init-before-saturating"


def test_a_functional_tanh_in_forward_is_found(lines):
    assert lines(
        RULE,
        """
        import torch
        from torch import nn
        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.fc1 = nn.Linear(32, 64)
                self.fc2 = nn.Linear(64, 1)
                nn.init.kaiming_normal_(self.fc1.weight)
            def forward(self, x):
                h = torch.tanh(self.fc1(x))
                return self.fc2(h)
    """,
    ) == [9]


def test_a_sequential_initialised_through_apply_is_found(lines):
    assert lines(
        RULE,
        """
        import torch.nn as nn
        import torch.nn.init as init
        def weights_init(m):
            if isinstance(m, nn.Linear):
                init.kaiming_uniform_(m.weight, nonlinearity='relu')
                init.constant_(m.bias, 0)
        net = nn.Sequential(
            nn.Linear(10, 64), nn.Tanh(),
            nn.Linear(64, 64), nn.Tanh(),
            nn.Linear(64, 1),
        )
        net.apply(weights_init)
    """,
    ) == [6]


def test_a_loop_over_all_modules_is_found(lines):
    assert lines(
        RULE,
        """
        import torch.nn as nn
        class MLP(nn.Module):
            def __init__(self, d, h):
                super(MLP, self).__init__()
                self.l1 = nn.Linear(d, h)
                self.l2 = nn.Linear(h, h)
                self.l3 = nn.Linear(h, 1)
                self.act = nn.Sigmoid()
                for m in self.modules():
                    if isinstance(m, nn.Linear):
                        nn.init.kaiming_normal_(m.weight, mode='fan_in')
            def forward(self, x):
                x = self.act(self.l1(x))
                x = self.act(self.l2(x))
                return self.l3(x)
    """,
    ) == [12]


def test_a_method_of_the_tensor_and_a_hand_written_formula_are_found(lines):
    assert lines(
        RULE,
        """
        import math
        import torch
        from torch import nn
        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.hidden = nn.Linear(256, 256)
                self.head = nn.Linear(256, 10)
                self.hidden.weight.data.normal_(0, math.sqrt(2. / 256))
            def forward(self, x):
                return self.head(self.hidden(x).tanh())
    """,
    ) == [10]


def test_an_init_method_of_the_class_is_found(lines):
    assert lines(
        RULE,
        """
        from torch import nn
        from torch.nn.init import kaiming_normal_
        import torch.nn.functional as F
        class Encoder(nn.Module):
            def __init__(self):
                super().__init__()
                self.fc = nn.Linear(16, 32)
                self.out = nn.Linear(32, 8)
                self.reset_parameters()
            def reset_parameters(self):
                kaiming_normal_(self.fc.weight)
            def forward(self, x):
                x = self.fc(x)
                x = F.sigmoid(x)
                return self.out(x)
    """,
    ) == [12]


def test_relu_is_what_it_is_for(lines):
    assert (
        lines(
            RULE,
            """
        from torch import nn
        net = nn.Sequential(nn.Linear(9, 64), nn.ReLU(), nn.Linear(64, 1))
        for m in net.modules():
            if isinstance(m, nn.Linear):
                nn.init.kaiming_normal_(m.weight)
    """,
        )
        == []
    )


def test_an_output_activation_is_not_hidden(lines):
    assert (
        lines(
            RULE,
            """
        import torch
        from torch import nn
        class Discriminator(nn.Module):
            def __init__(self):
                super().__init__()
                self.fc = nn.Linear(64, 64)
                self.out = nn.Linear(64, 1)
                nn.init.kaiming_normal_(self.fc.weight)
                nn.init.kaiming_normal_(self.out.weight)
            def forward(self, x):
                return torch.sigmoid(self.out(torch.relu(self.fc(x))))
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
        class Generator(nn.Module):
            def __init__(self):
                super().__init__()
                self.main = nn.Sequential(
                    nn.Linear(64, 64), nn.ReLU(),
                    nn.Linear(64, 64), nn.Tanh(),
                    nn.Linear(64, 64), nn.Tanh())
                for m in self.modules():
                    if isinstance(m, nn.Linear):
                        nn.init.kaiming_normal_(m.weight)
            def forward(self, x):
                return self.main(x)
    """,
        )
        == []
    )


@pytest.mark.parametrize("nonlinearity", ["tanh", "sigmoid", "linear"])
def test_a_gain_for_the_activation_is_fine(lines, nonlinearity):
    assert (
        lines(
            RULE,
            f"""
        import torch
        from torch import nn
        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.fc = nn.Linear(64, 64)
                self.out = nn.Linear(64, 1)
                nn.init.kaiming_normal_(self.fc.weight, nonlinearity="{nonlinearity}")
            def forward(self, x):
                return self.out(torch.tanh(self.fc(x)))
    """,
        )
        == []
    )


def test_the_small_default_of_torch_is_fine(lines):
    assert (
        lines(
            RULE,
            """
        import math
        import torch
        from torch import nn
        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.fc = nn.Linear(64, 64)
                self.out = nn.Linear(64, 1)
                nn.init.kaiming_uniform_(self.fc.weight, a=math.sqrt(5))
            def forward(self, x):
                return self.out(torch.tanh(self.fc(x)))
    """,
        )
        == []
    )


def test_a_normalisation_between_sets_the_scale_anew(lines):
    assert (
        lines(
            RULE,
            """
        from torch import nn
        net = nn.Sequential(
            nn.Linear(9, 64), nn.BatchNorm1d(64), nn.Tanh(), nn.Linear(64, 1))
        nn.init.kaiming_normal_(net[0].weight)
    """,
        )
        == []
    )


def test_a_gate_is_not_an_activation(lines):
    assert (
        lines(
            RULE,
            """
        import torch
        from torch import nn
        class SqueezeExcite(nn.Module):
            def __init__(self, c):
                super().__init__()
                self.gate = nn.Conv2d(c, c, 1)
                self.out = nn.Conv2d(c, c, 3)
                nn.init.kaiming_normal_(self.gate.weight)
            def forward(self, x):
                return self.out(x * torch.sigmoid(self.gate(x)))
    """,
        )
        == []
    )


def test_a_recurrent_cell_is_left_alone(lines):
    assert (
        lines(
            RULE,
            """
        import torch
        from torch import nn
        class Cell(nn.Module):
            def __init__(self):
                super().__init__()
                self.i2h = nn.Linear(64, 64)
                self.h2h = nn.Linear(64, 64)
                for m in self.modules():
                    if isinstance(m, nn.Linear):
                        nn.init.kaiming_normal_(m.weight)
            def forward(self, x, h):
                return torch.tanh(self.i2h(x) + self.h2h(h))
    """,
        )
        == []
    )


def test_a_tanh_on_another_layer_is_no_business_of_this_one(lines):
    assert (
        lines(
            RULE,
            """
        import torch
        from torch import nn
        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.conv = nn.Conv2d(3, 8, 3)
                self.fc = nn.Linear(8, 8)
                self.out = nn.Linear(8, 1)
                nn.init.kaiming_normal_(self.conv.weight)
            def forward(self, x):
                x = torch.relu(self.conv(x)).mean((2, 3))
                return self.out(torch.tanh(self.fc(x)))
    """,
        )
        == []
    )


def test_an_initialisation_that_is_overwritten_later_does_not_count(lines):
    assert (
        lines(
            RULE,
            """
        import torch
        from torch import nn
        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.fc = nn.Linear(64, 64)
                self.out = nn.Linear(64, 1)
                nn.init.kaiming_normal_(self.fc.weight)
                nn.init.xavier_normal_(self.fc.weight, gain=5 / 3)
            def forward(self, x):
                return self.out(torch.tanh(self.fc(x)))
    """,
        )
        == []
    )


def test_a_learned_factor_at_the_end_changes_nothing(lines):
    assert lines(
        RULE,
        """
        import torch
        from torch import nn
        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.low, self.high = nn.Linear(9, 9), nn.Linear(9, 1)
                self.height = nn.Parameter(torch.ones(9))
                nn.init.kaiming_uniform_(self.low.weight, nonlinearity="relu")
            def forward(self, x):
                return self.high(torch.tanh(self.low(x))) / self.height
    """,
    ) == [9]


def test_the_gain_for_sigmoids_is_no_gain_of_relu(diagnoses):
    source = """
    from torch import nn
    hidden = nn.Linear(256, 128)
    net = nn.Sequential(hidden, nn.Sigmoid(), nn.Linear(128, 2))
    nn.init.normal_(hidden.weight, std={gain} * 256**-0.5)
    """
    assert list(diagnoses(RULE, source.format(gain=4))) == []
    assert [one.rule for one in diagnoses(RULE, source.format(gain="2**0.5"))] == [RULE]
