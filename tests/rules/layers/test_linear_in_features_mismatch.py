"""Where linear-in-features-mismatch speaks, and where it must not."""

from __future__ import annotations

from collections.abc import Callable

Lines = Callable[..., list[int]]
RULE = "linear-in-features-mismatch"


def test_neighbours_in_a_sequential_are_found(lines: Lines) -> None:
    assert lines(
        RULE,
        """
        from torch import nn
        net = nn.Sequential(nn.Linear(9, 128), nn.ReLU(), nn.Dropout(0.1), nn.Linear(256, 3))
    """,
    ) == [3]


def test_a_list_and_an_ordered_dict_are_found(lines: Lines) -> None:
    assert lines(
        RULE,
        """
        from collections import OrderedDict
        from torch import nn
        layers = [nn.Linear(9, 32)]
        layers += [nn.Tanh(), nn.Linear(64, 3)]
        net = nn.Sequential(*layers)
        other = nn.Sequential(OrderedDict([("a", nn.Linear(9, 4)), ("b", nn.Linear(5, 3))]))
    """,
    ) == [5, 7]


def test_a_forward_is_found(lines: Lines) -> None:
    assert lines(
        RULE,
        """
        import torch.nn as nn
        import torch.nn.functional as F
        WIDTH = 64
        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.hidden = 2 * WIDTH
                self.fc1 = nn.Linear(9, self.hidden)
                self.norm = nn.LayerNorm(128)
                self.fc2 = nn.Linear(in_features=100, out_features=3)
            def forward(self, x):
                x = F.relu(self.norm(self.fc1(x)))
                return self.fc2(x)
    """,
    ) == [11]


def test_channels_of_convolutions_are_found(lines: Lines) -> None:
    assert lines(
        RULE,
        """
        from torch import nn
        net = nn.Sequential(
            nn.Conv2d(3, 16, 3), nn.BatchNorm2d(16), nn.ReLU(), nn.MaxPool2d(2),
            nn.Conv2d(32, 64, 3), nn.ConvTranspose2d(64, 8, 2), nn.Conv2d(8, 1, 1),
        )
    """,
    ) == [5]


def test_equal_sizes_are_fine(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        from torch import nn
        net = nn.Sequential(nn.Linear(9, 128), nn.ReLU(), nn.Linear(128, 3))
    """,
        )
        == []
    )


def test_what_changes_the_number_of_features_ends_the_comparison(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        import torch
        from torch import nn
        a = nn.Sequential(nn.Linear(9, 128), nn.GLU(), nn.Linear(64, 3))
        b = nn.Sequential(nn.Linear(9, 128), nn.Flatten(), nn.Linear(1280, 3))
        c = nn.Sequential(nn.Linear(9, 128), nn.MaxPool1d(2), nn.Linear(64, 3))
        d = nn.Sequential(nn.Conv2d(3, 8, 3), nn.PixelShuffle(2), nn.Conv2d(2, 8, 3))
        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.a, self.b = nn.Linear(4, 8), nn.Linear(16, 2)
            def forward(self, x, y):
                x = self.a(x)
                return self.b(torch.cat([x, y], -1))
    """,
        )
        == []
    )


def test_a_convolution_and_a_linear_layer_are_not_compared(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        from torch import nn
        net = nn.Sequential(nn.Conv2d(3, 8, 3), nn.ReLU(), nn.Linear(100, 3))
    """,
        )
        == []
    )


def test_defaults_of_parameters_are_not_compared(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        from torch import nn
        class Net(nn.Module):
            def __init__(self, hidden=128, inner=256):
                super().__init__()
                self.net = nn.Sequential(nn.Linear(9, hidden), nn.ReLU(), nn.Linear(inner, 3))
            def forward(self, x):
                return self.net(x)
    """,
        )
        == []
    )


def test_options_of_the_command_line_are_not_compared(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        import argparse
        from torch import nn
        parser = argparse.ArgumentParser()
        parser.add_argument("--width", type=int, default=128)
        args = parser.parse_args()
        net = nn.Sequential(nn.Linear(9, args.width), nn.Linear(64, 3))
    """,
        )
        == []
    )


def test_sizes_that_a_loop_changes_are_not_compared(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        from torch import nn
        layers, width = [nn.Conv2d(3, 64, 3)], 64
        for _ in range(2):
            layers += [nn.Conv2d(width, width * 2, 3), nn.ReLU()]
            width = width * 2
        net = nn.Sequential(*layers)
    """,
        )
        == []
    )


def test_a_layer_under_an_if_ends_the_comparison(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        from torch import nn
        def make(deep):
            layers = [nn.Linear(9, 128)]
            if deep:
                layers.append(nn.Linear(128, 64))
            layers.append(nn.Linear(64, 3))
            return nn.Sequential(*layers)
    """,
        )
        == []
    )


def test_a_layer_that_is_replaced_is_unknown(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        from torch import nn
        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.a, self.b = nn.Linear(4, 8), nn.Linear(16, 2)
            def forward(self, x):
                return self.b(self.a(x))
        net = Net()
        net.b = nn.Linear(8, 2)
    """,
        )
        == []
    )


def test_models_of_tests_never_run(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        from torch import nn
        net = nn.Sequential(nn.Linear(9, 128), nn.Linear(256, 3))
    """,
            path="test_models.py",
        )
        == []
    )


def test_both_layers_are_shown(diagnoses: Callable[..., list]) -> None:
    [one] = diagnoses(
        RULE,
        """
        from torch import nn
        net = nn.Sequential(
            nn.Linear(9, 128),
            nn.Linear(256, 3),
        )
        """,
    )
    assert one.span.line == 5
    assert [place.span.line for place in one.related] == [4]
