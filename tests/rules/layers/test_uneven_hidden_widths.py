"""Where uneven-hidden-widths speaks, and where it must not."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

Lines = Callable[..., list[int]]
RULE = "uneven-hidden-widths"


def test_a_pyramid_is_found(lines: Lines) -> None:
    assert lines(
        RULE,
        """
        from torch import nn
        net = nn.Sequential(
            nn.Linear(784, 512),
            nn.ReLU(),
            nn.Linear(512, 256),
            nn.ReLU(),
            nn.Linear(256, 10),
        )
    """,
    ) == [6]


def test_a_class_is_found(lines: Lines) -> None:
    assert lines(
        RULE,
        """
        import torch.nn as nn
        import torch.nn.functional as F
        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.fc1 = nn.Linear(784, 300)
                self.fc2 = nn.Linear(300, 100)
                self.fc3 = nn.Linear(100, 10)
            def forward(self, x):
                x = F.relu(self.fc1(x))
                x = F.relu(self.fc2(x))
                return self.fc3(x)
    """,
    ) == [8]


def test_constants_are_followed(lines: Lines) -> None:
    assert lines(
        RULE,
        """
        from torch import nn
        H1, H2 = 128, 64
        net = nn.Sequential(nn.Linear(784, H1), nn.Tanh(), nn.Linear(H1, H2), nn.Tanh(), nn.Linear(H2, 10))
    """,
    ) == [4]


def test_one_diagnosis_for_each_stack(lines: Lines) -> None:
    assert lines(
        RULE,
        """
        from torch import nn
        net = nn.Sequential(
            nn.Linear(784, 512), nn.ReLU(),
            nn.Linear(512, 256), nn.ReLU(),
            nn.Linear(256, 128), nn.ReLU(),
            nn.Linear(128, 10),
        )
    """,
    ) == [5]


def test_the_same_width_is_fine(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        from torch import nn
        net = nn.Sequential(
            nn.Linear(784, 128), nn.ReLU(), nn.Linear(128, 128), nn.ReLU(), nn.Linear(128, 10)
        )
    """,
        )
        == []
    )


def test_one_hidden_layer_is_fine(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        from torch import nn
        net = nn.Sequential(nn.Linear(784, 512), nn.ReLU(), nn.Linear(512, 10))
    """,
        )
        == []
    )


def test_an_autoencoder_is_fine(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        from torch import nn
        net = nn.Sequential(
            nn.Linear(784, 128), nn.ReLU(), nn.Linear(128, 32), nn.ReLU(),
            nn.Linear(32, 128), nn.ReLU(), nn.Linear(128, 784),
        )
    """,
        )
        == []
    )


def test_an_encoder_by_name_is_fine(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        import torch.nn as nn
        class AE(nn.Module):
            def __init__(self):
                super().__init__()
                self.encoder = nn.Sequential(nn.Linear(784, 128), nn.ReLU(), nn.Linear(128, 64), nn.ReLU(), nn.Linear(64, 3))
                self.decoder = nn.Sequential(nn.Linear(3, 64), nn.ReLU(), nn.Linear(64, 128), nn.ReLU(), nn.Linear(128, 784))
            def forward(self, x):
                return self.decoder(self.encoder(x))
    """,
        )
        == []
    )


def test_convolutions_are_fine(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        from torch import nn
        net = nn.Sequential(nn.Conv2d(3, 32, 3), nn.ReLU(), nn.Conv2d(32, 64, 3), nn.ReLU(), nn.Flatten(), nn.Linear(64, 10))
    """,
        )
        == []
    )


def test_unknown_widths_are_fine(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        from torch import nn
        def build(a, b):
            return nn.Sequential(nn.Linear(784, a), nn.ReLU(), nn.Linear(a, b), nn.ReLU(), nn.Linear(b, 10))
    """,
        )
        == []
    )


def test_a_generator_by_name_is_fine(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        import torch.nn as nn
        class Generator(nn.Module):
            def __init__(self):
                super().__init__()
                self.model = nn.Sequential(nn.Linear(100, 128), nn.ReLU(), nn.Linear(128, 256), nn.ReLU(), nn.Linear(256, 784), nn.Tanh())
            def forward(self, z):
                return self.model(z)
    """,
        )
        == []
    )


def test_two_heads_of_different_widths_are_fine(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        import torch.nn as nn
        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.a = nn.Linear(8, 64)
                self.b = nn.Linear(8, 32)
            def forward(self, x):
                return self.a(x), self.b(x)
    """,
        )
        == []
    )


def test_a_narrow_place_between_unequal_layers_is_found(lines: Lines) -> None:
    assert lines(RULE, _of_widths(400, 90, 200, 5)) == [5]


def test_a_narrow_place_between_equal_layers_is_a_bottleneck(lines: Lines) -> None:
    assert lines(RULE, _of_widths(200, 20, 200, 5)) == []


def test_a_stack_that_widens_up_to_its_end_is_an_autoencoder(lines: Lines) -> None:
    assert lines(RULE, _of_widths(128, 16, 100, 300)) == []
    assert lines(RULE, _of_widths(128, 16, 100, "n_out")) == []


def _of_widths(*widths: object) -> str:
    """Return a stack of linear layers."""
    layers = [f"nn.Linear(300, {widths[0]}),"]
    for before, after in pairwise(widths):
        layers += ["nn.ReLU(),", f"nn.Linear({before}, {after}),"]
    return "from torch import nn\nnet = nn.Sequential(\n" + "\n".join(layers) + "\n)"
