"""Where deep-stack-without-normalisation speaks, and where it must not."""

from __future__ import annotations

from collections.abc import Callable

Lines = Callable[..., list[int]]
RULE = "deep-stack-without-normalisation"


def test_a_repeated_block_is_found(lines: Lines) -> None:
    assert lines(
        RULE,
        """
        import torch.nn as nn
        net = nn.Sequential(*[nn.Sequential(nn.Linear(64, 64), nn.ReLU()) for _ in range(10)])
    """,
    ) == [3]


def test_a_literal_stack_is_found(lines: Lines) -> None:
    assert lines(
        RULE,
        """
        from torch import nn
        net = nn.Sequential(
            nn.Linear(8, 8), nn.Sigmoid(), nn.Linear(8, 8), nn.Sigmoid(),
            nn.Linear(8, 8), nn.Sigmoid(), nn.Linear(8, 8), nn.Sigmoid(),
            nn.Linear(8, 8), nn.Sigmoid(), nn.Linear(8, 8), nn.Sigmoid(),
            nn.Linear(8, 8), nn.Sigmoid(), nn.Linear(8, 8),
        )
    """,
    ) == [3]


def test_a_list_that_grows_in_a_loop_is_found(lines: Lines) -> None:
    assert (
        len(
            lines(
                RULE,
                """
        from torch import nn
        layers = [nn.Linear(20, 64), nn.ReLU()]
        for _ in range(8):
            layers += [nn.Linear(64, 64), nn.ReLU()]
        layers.append(nn.Linear(64, 10))
        net = nn.Sequential(*layers)
    """,
            )
        )
        == 1
    )


def test_a_class_with_a_chain_of_layers_is_found(lines: Lines) -> None:
    assert (
        len(
            lines(
                RULE,
                """
        import torch.nn as nn
        import torch.nn.functional as F
        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.fc1 = nn.Linear(8, 8)
                self.fc2 = nn.Linear(8, 8)
                self.fc3 = nn.Linear(8, 8)
                self.fc4 = nn.Linear(8, 8)
                self.fc5 = nn.Linear(8, 8)
                self.fc6 = nn.Linear(8, 8)
                self.fc7 = nn.Linear(8, 8)
                self.fc8 = nn.Linear(8, 2)
            def forward(self, x):
                x = F.relu(self.fc1(x))
                x = F.relu(self.fc2(x))
                x = F.relu(self.fc3(x))
                x = F.relu(self.fc4(x))
                x = F.relu(self.fc5(x))
                x = F.relu(self.fc6(x))
                x = F.relu(self.fc7(x))
                return self.fc8(x)
    """,
            )
        )
        == 1
    )


def test_a_stack_of_convolutions_is_found(lines: Lines) -> None:
    assert (
        len(
            lines(
                RULE,
                """
        import torch.nn as nn
        class VGG(nn.Module):
            def __init__(self):
                super().__init__()
                self.features = nn.Sequential(
                    nn.Conv2d(3, 64, 3), nn.ReLU(), nn.Conv2d(64, 64, 3), nn.ReLU(), nn.MaxPool2d(2),
                    nn.Conv2d(64, 128, 3), nn.ReLU(), nn.Conv2d(128, 128, 3), nn.ReLU(), nn.MaxPool2d(2),
                    nn.Conv2d(128, 256, 3), nn.ReLU(), nn.Conv2d(256, 256, 3), nn.ReLU(),
                    nn.Conv2d(256, 256, 3), nn.ReLU(), nn.MaxPool2d(2),
                )
                self.classifier = nn.Sequential(nn.Linear(256, 256), nn.ReLU(), nn.Linear(256, 10))
            def forward(self, x):
                x = self.features(x)
                x = x.flatten(1)
                return self.classifier(x)
    """,
            )
        )
        == 1
    )


def test_the_limit_can_be_set(lines: Lines) -> None:
    source = """
        from torch import nn
        net = nn.Sequential(nn.Linear(8, 8), nn.GELU(), nn.Linear(8, 8), nn.GELU(), nn.Linear(8, 8))
    """
    assert lines(RULE, source) == []
    assert lines(RULE, source, layers=3) == [3]


def test_normalised_stacks_are_fine(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        from torch import nn
        a = nn.Sequential(*[nn.Sequential(nn.Linear(8, 8), nn.BatchNorm1d(8), nn.ReLU()) for _ in range(10)])
        b = nn.Sequential(*[nn.Sequential(nn.Linear(8, 8), nn.LayerNorm(8), nn.ReLU()) for _ in range(10)])
        c = nn.Sequential(*[nn.Sequential(nn.Conv2d(8, 8, 3), nn.InstanceNorm2d(8), nn.ReLU()) for _ in range(10)])
        d = nn.Sequential(*[nn.Sequential(nn.Conv2d(8, 8, 3), nn.GroupNorm(2, 8), nn.ReLU()) for _ in range(10)])
    """,
        )
        == []
    )


def test_weight_normalised_stacks_are_fine(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        from torch import nn
        from torch.nn.utils import spectral_norm, weight_norm
        a = nn.Sequential(*[nn.Sequential(spectral_norm(nn.Linear(8, 8)), nn.ReLU()) for _ in range(10)])
        b = nn.Sequential(*[nn.Sequential(weight_norm(nn.Linear(8, 8)), nn.ReLU()) for _ in range(10)])
    """,
        )
        == []
    )


def test_seven_layers_are_fine(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        from torch import nn
        net = nn.Sequential(*[nn.Sequential(nn.Linear(8, 8), nn.ReLU()) for _ in range(7)])
    """,
        )
        == []
    )


def test_selu_is_fine(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        from torch import nn
        net = nn.Sequential(*[nn.Sequential(nn.Linear(8, 8), nn.SELU()) for _ in range(10)])
    """,
        )
        == []
    )


def test_skip_connections_are_fine(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        import torch.nn as nn
        import torch.nn.functional as F
        class Block(nn.Module):
            def __init__(self):
                super().__init__()
                self.a = nn.Linear(8, 8)
                self.b = nn.Linear(8, 8)
            def forward(self, x):
                return x + self.b(F.relu(self.a(x)))
        net = nn.Sequential(*[Block() for _ in range(10)])
    """,
        )
        == []
    )


def test_concatenated_skips_are_fine(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        import torch
        import torch.nn as nn
        class NeRF(nn.Module):
            def __init__(self):
                super().__init__()
                self.first = nn.Sequential(*[nn.Sequential(nn.Linear(64, 64), nn.ReLU()) for _ in range(4)])
                self.second = nn.Sequential(nn.Linear(128, 64), *[nn.Sequential(nn.ReLU(), nn.Linear(64, 64)) for _ in range(4)])
            def forward(self, x):
                h = self.first(x)
                h = torch.cat([h, x], dim=-1)
                return self.second(h)
    """,
        )
        == []
    )


def test_a_skip_around_the_whole_stack_is_fine(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        import torch.nn as nn
        class VDSR(nn.Module):
            def __init__(self):
                super().__init__()
                self.body = nn.Sequential(*[nn.Sequential(nn.Conv2d(8, 8, 3, padding=1), nn.ReLU()) for _ in range(18)])
            def forward(self, x):
                residual = x
                out = self.body(x)
                return out + residual
    """,
        )
        == []
    )


def test_initialisation_by_hand_is_fine(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        import torch.nn as nn
        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.body = nn.Sequential(*[nn.Sequential(nn.Linear(8, 8), nn.ReLU()) for _ in range(10)])
                for m in self.modules():
                    if isinstance(m, nn.Linear):
                        nn.init.kaiming_normal_(m.weight, nonlinearity="relu")
            def forward(self, x):
                return self.body(x)
    """,
        )
        == []
    )


def test_initialisation_by_apply_is_fine(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        import torch.nn as nn
        def init(m):
            if isinstance(m, nn.Linear):
                nn.init.orthogonal_(m.weight)
        net = nn.Sequential(*[nn.Sequential(nn.Linear(8, 8), nn.ReLU()) for _ in range(10)])
        net.apply(init)
    """,
        )
        == []
    )


def test_unknown_parts_are_unknown(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        from torch import nn
        from mylib import Block
        net = nn.Sequential(*[Block(8) for _ in range(10)])
        mixed = nn.Sequential(*[nn.Sequential(nn.Linear(8, 8), Block(8)) for _ in range(10)])
    """,
        )
        == []
    )


def test_an_unknown_depth_is_unknown(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        from torch import nn
        def build(n):
            return nn.Sequential(*[nn.Sequential(nn.Linear(8, 8), nn.ReLU()) for _ in range(n)])
    """,
        )
        == []
    )


def test_two_short_stacks_that_are_not_chained_are_fine(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        import torch.nn as nn
        class ActorCritic(nn.Module):
            def __init__(self):
                super().__init__()
                self.actor = nn.Sequential(*[nn.Sequential(nn.Linear(8, 8), nn.Tanh()) for _ in range(4)])
                self.critic = nn.Sequential(*[nn.Sequential(nn.Linear(8, 8), nn.Tanh()) for _ in range(4)])
            def forward(self, x):
                return self.actor(x), self.critic(x)
    """,
        )
        == []
    )
