"""Edge cases of default-init-deep-relu."""

RULE = "default-init-deep-relu"


def test_a_comprehension_over_a_range_is_found(lines):
    assert lines(
        RULE,
        """
        from torch import nn
        net = nn.Sequential(*[nn.Sequential(nn.Linear(64, 64), nn.ReLU()) for _ in range(20)], nn.Linear(64, 1))
    """,
    ) == [3]


def test_a_list_that_grows_is_found(lines):
    assert lines(
        RULE,
        """
        from torch import nn
        layers = []
        for _ in range(7):
            layers += [nn.Linear(32, 32), nn.ReLU()]
        net = nn.Sequential(*layers)
    """,
    ) == [5]


def test_convolutions_with_pooling_between_are_found(lines):
    assert lines(
        RULE,
        """
        from torch import nn
        net = nn.Sequential(
            nn.Conv2d(3, 8, 3), nn.ReLU(), nn.Conv2d(8, 8, 3), nn.ReLU(), nn.MaxPool2d(2),
            nn.Conv2d(8, 8, 3), nn.ReLU(), nn.Conv2d(8, 8, 3), nn.ReLU(), nn.MaxPool2d(2),
            nn.Conv2d(8, 8, 3), nn.ReLU(), nn.Conv2d(8, 8, 3), nn.ReLU(), nn.Flatten(),
            nn.Linear(8, 2),
        )
    """,
    ) == [4]


def test_functions_in_forward_are_found(lines):
    assert lines(
        RULE,
        """
        import torch.nn as nn
        import torch.nn.functional as F
        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.layers = nn.ModuleList([nn.Linear(64, 64) for _ in range(8)])
                self.out = nn.Linear(64, 1)
            def forward(self, x):
                for layer in self.layers:
                    x = F.relu(layer(x))
                return self.out(x)
    """,
    ) == [7]


def test_an_initialisation_in_the_file_is_fine(lines):
    assert (
        lines(
            RULE,
            """
        from torch import nn
        net = nn.Sequential(*[nn.Sequential(nn.Linear(64, 64), nn.ReLU()) for _ in range(20)])
        for m in net.modules():
            if isinstance(m, nn.Linear):
                nn.init.kaiming_normal_(m.weight, nonlinearity="relu")
    """,
        )
        == []
    )


def test_normalisation_is_fine(lines):
    assert (
        lines(
            RULE,
            """
        from torch import nn
        net = nn.Sequential(*[nn.Sequential(nn.Linear(64, 64), nn.LayerNorm(64), nn.ReLU()) for _ in range(20)])
    """,
        )
        == []
    )


def test_skip_connections_are_fine(lines):
    assert (
        lines(
            RULE,
            """
        import torch.nn as nn
        import torch.nn.functional as F
        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.layers = nn.ModuleList([nn.Linear(64, 64) for _ in range(8)])
            def forward(self, x):
                for layer in self.layers:
                    x = x + F.relu(layer(x))
                return x
    """,
        )
        == []
    )


def test_a_few_layers_are_fine(lines):
    assert (
        lines(
            RULE,
            """
        from torch import nn
        net = nn.Sequential(nn.Linear(9, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 1))
    """,
        )
        == []
    )


def test_other_activations_are_left_alone(lines):
    assert (
        lines(
            RULE,
            """
        from torch import nn
        net = nn.Sequential(*[nn.Sequential(nn.Linear(64, 64), nn.GELU()) for _ in range(20)])
    """,
        )
        == []
    )


def test_an_unknown_number_of_layers_is_not_guessed(lines):
    assert (
        lines(
            RULE,
            """
        from torch import nn
        def build(depth):
            return nn.Sequential(*[nn.Sequential(nn.Linear(64, 64), nn.ReLU()) for _ in range(depth)])
    """,
        )
        == []
    )


def test_a_test_is_fine(lines):
    assert (
        lines(
            RULE,
            """
        from torch import nn
        net = nn.Sequential(*[nn.Sequential(nn.Linear(64, 64), nn.ReLU()) for _ in range(20)])
    """,
            path="test_depth.py",
        )
        == []
    )
