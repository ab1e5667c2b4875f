"""Edge cases of selu-without-lecun-init."""

import pytest

RULE = "selu-without-lecun-init"


def test_the_gain_of_selu_is_found(lines):
    assert lines(
        RULE,
        """
        from torch import nn
        net = nn.Sequential(nn.Linear(32, 128), nn.SELU(), nn.Linear(128, 1))
        nn.init.kaiming_normal_(net[0].weight, nonlinearity='selu')
    """,
    ) == [4]


def test_the_default_initialisation_is_found_at_the_first_selu(lines):
    assert lines(
        RULE,
        """
        import torch.nn as nn
        net = nn.Sequential(
            nn.Linear(32, 128),
            nn.SELU(),
            nn.Linear(128, 128),
            nn.SELU(inplace=True),
            nn.Linear(128, 1),
        )
    """,
    ) == [5]


def test_functional_selu_with_the_default_is_found(lines):
    assert lines(
        RULE,
        """
        import torch.nn.functional as F
        from torch import nn
        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.fc1 = nn.Linear(32, 64)
                self.fc2 = nn.Linear(64, 64)
                self.fc3 = nn.Linear(64, 1)
            def forward(self, x):
                x = F.selu(self.fc1(x))
                x = F.selu(self.fc2(x))
                return self.fc3(x)
    """,
    ) == [11]


def test_kaiming_for_relu_is_found(lines):
    assert lines(
        RULE,
        """
        import torch
        from torch import nn
        def init(m):
            if isinstance(m, nn.Linear):
                nn.init.kaiming_uniform_(m.weight)
        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.a = nn.Linear(16, 16)
                self.b = nn.Linear(16, 16)
                self.apply(init)
            def forward(self, x):
                return torch.selu(self.b(torch.selu(self.a(x))))
    """,
    ) == [6]


def test_xavier_on_a_widening_layer_is_found(lines):
    assert lines(
        RULE,
        """
        from torch import nn
        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.fc = nn.Linear(32, 512)
                self.out = nn.Linear(512, 1)
                self.act = nn.SELU()
                nn.init.xavier_normal_(self.fc.weight)
            def forward(self, x):
                return self.out(self.act(self.fc(x)))
    """,
    ) == [9]


@pytest.mark.parametrize(
    "init",
    [
        "nn.init.kaiming_normal_(m.weight, nonlinearity='linear')",
        "nn.init.kaiming_normal_(m.weight, mode='fan_in', nonlinearity='linear')",
        "nn.init.kaiming_uniform_(m.weight, a=1)",
        "nn.init.normal_(m.weight, 0, math.sqrt(1 / m.in_features))",
        "nn.init.normal_(m.weight, 0, std=1 / m.in_features ** 0.5)",
        "m.weight.data.normal_(0.0, np.sqrt(1. / np.prod(m.weight.shape[1:])))",
        "nn.init.orthogonal_(m.weight)",
        "nn.init.trunc_normal_(m.weight, std=0.02)",
        "lecun_normal_(m.weight)",
        "my_init(m)",
    ],
)
def test_lecun_and_other_initialisations_are_accepted(lines, init):
    assert (
        lines(
            RULE,
            f"""
        import math
        import numpy as np
        from torch import nn
        from inits import lecun_normal_, my_init
        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.net = nn.Sequential(
                    nn.Linear(32, 64), nn.SELU(), nn.Linear(64, 64), nn.SELU(), nn.Linear(64, 1))
                for m in self.modules():
                    if isinstance(m, nn.Linear):
                        {init}
            def forward(self, x):
                return self.net(x)
    """,
        )
        == []
    )


def test_xavier_on_square_layers_is_lecun(lines):
    assert (
        lines(
            RULE,
            """
        from torch import nn
        net = nn.Sequential(nn.Linear(64, 64), nn.SELU(), nn.Linear(64, 64), nn.SELU(), nn.Linear(64, 1))
        nn.init.xavier_normal_(net[0].weight)
        nn.init.xavier_normal_(net[2].weight)
    """,
        )
        == []
    )


def test_xavier_on_unknown_widths_is_not_guessed(lines):
    assert (
        lines(
            RULE,
            """
        from torch import nn
        def build(a, b):
            net = nn.Sequential(nn.Linear(a, b), nn.SELU(), nn.Linear(b, 1))
            nn.init.xavier_normal_(net[0].weight)
            return net
    """,
        )
        == []
    )


def test_a_table_of_activations_is_no_network(lines):
    assert (
        lines(
            RULE,
            """
        import torch.nn as nn
        import torch.nn.functional as F
        ACTIVATIONS = {"relu": nn.ReLU(), "selu": nn.SELU(), "gelu": nn.GELU()}
        FUNCTIONS = dict(selu=F.selu, relu=F.relu)
        class Net(nn.Module):
            def __init__(self, act):
                super().__init__()
                self.fc1 = nn.Linear(8, 8)
                self.fc2 = nn.Linear(8, 8)
                self.act = ACTIVATIONS[act]
            def forward(self, x):
                return self.act(self.fc2(self.act(self.fc1(x))))
    """,
        )
        == []
    )


def test_a_single_selu_with_the_default_is_left_alone(lines):
    assert (
        lines(
            RULE,
            """
        from torch import nn
        net = nn.Sequential(nn.Linear(32, 64), nn.SELU(), nn.Linear(64, 1))
    """,
        )
        == []
    )


def test_a_normalisation_between_is_the_business_of_another_rule(lines):
    assert (
        lines(
            RULE,
            """
        from torch import nn
        net = nn.Sequential(
            nn.Linear(32, 64), nn.BatchNorm1d(64), nn.SELU(),
            nn.Linear(64, 64), nn.BatchNorm1d(64), nn.SELU(), nn.Linear(64, 1))
    """,
        )
        == []
    )


def test_a_loaded_state_is_no_default(lines):
    assert (
        lines(
            RULE,
            """
        import torch
        from torch import nn
        net = nn.Sequential(nn.Linear(32, 64), nn.SELU(), nn.Linear(64, 64), nn.SELU(), nn.Linear(64, 1))
        net.load_state_dict(torch.load("net.pt"))
    """,
        )
        == []
    )


def test_a_model_given_to_an_unknown_initialiser_is_left_alone(lines):
    assert (
        lines(
            RULE,
            """
        from torch import nn
        from inits import initialise
        net = nn.Sequential(nn.Linear(32, 64), nn.SELU(), nn.Linear(64, 64), nn.SELU(), nn.Linear(64, 1))
        net.apply(initialise)
    """,
        )
        == []
    )


def test_relu_networks_are_not_meant(lines):
    assert (
        lines(
            RULE,
            """
        from torch import nn
        net = nn.Sequential(nn.Linear(32, 64), nn.ReLU(), nn.Linear(64, 64), nn.ELU(), nn.Linear(64, 1))
    """,
        )
        == []
    )
