"""Where unused-layer speaks, and where it must not."""

from __future__ import annotations

from collections.abc import Callable

Lines = Callable[..., list[int]]
RULE = "unused-layer"


def test_a_layer_that_nothing_reads_is_found(lines: Lines) -> None:
    assert lines(
        RULE,
        """
        import torch.nn as nn
        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.fc1 = nn.Linear(8, 8)
                self.fc2 = nn.Linear(8, 8)
            def forward(self, x):
                return self.fc1(self.fc1(x))
    """,
    ) == [7]


def test_containers_and_modules_of_the_file_are_found(lines: Lines) -> None:
    assert lines(
        RULE,
        """
        import torch
        from torch import nn
        class Block(nn.Module):
            def __init__(self):
                super().__init__()
                self.conv = nn.Conv2d(3, 3, 3)
            def forward(self, x):
                return self.conv(x)
        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.block = Block()
                self.shortcut = Block()
                self.tail = nn.Sequential(nn.Linear(8, 8), nn.ReLU())
            def forward(self, x):
                return torch.relu(self.block(x))
    """,
    ) == [14, 15]


def test_a_lightning_module_is_found(lines: Lines) -> None:
    assert lines(
        RULE,
        """
        import pytorch_lightning as pl
        from torch import nn
        class Lit(pl.LightningModule):
            def __init__(self):
                super().__init__()
                self.used, self.unused = nn.Linear(8, 8), nn.Linear(8, 8)
                self.norm = nn.LayerNorm(8)
            def forward(self, x):
                return self.used(x)
    """,
    ) == [7, 8]


def test_filling_its_weights_is_no_use(lines: Lines) -> None:
    assert lines(
        RULE,
        """
        from torch import nn
        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.fc1 = nn.Linear(8, 8)
                self.fc2 = nn.Linear(8, 8)
                nn.init.xavier_uniform_(self.fc2.weight)
                self.fc2.bias.data.zero_()
                for m in self.modules():
                    if isinstance(m, nn.Linear):
                        nn.init.zeros_(m.bias)
            def forward(self, x):
                return self.fc1(x)
    """,
    ) == [7]


def test_an_object_that_is_no_module_is_no_layer(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        from torch import nn
        class Teacher:
            def __init__(self):
                self.net = nn.Linear(8, 8)
        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.fc = nn.Linear(8, 8)
                self.teacher = Teacher()
            def forward(self, x):
                return self.fc(x)
    """,
        )
        == []
    )


def test_layers_without_weights_are_fine(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        from torch import nn
        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.fc = nn.Linear(8, 8)
                self.relu, self.drop, self.loss = nn.ReLU(), nn.Dropout(0.1), nn.MSELoss()
            def forward(self, x):
                return self.fc(x)
    """,
        )
        == []
    )


def test_a_subclass_or_another_function_may_read_it(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        from torch import nn
        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.a, self.b, self.c = nn.Linear(8, 8), nn.Linear(8, 8), nn.Linear(8, 8)
            def forward(self, x):
                return self.a(x)
        class Child(Net):
            def forward(self, x):
                return self.b(x)
        def head(net, x):
            return net.c(x)
    """,
        )
        == []
    )


def test_a_name_in_a_string_may_reach_it(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        from torch import nn
        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.a, self.b = nn.Linear(8, 8), nn.Linear(8, 8)
            def forward(self, x):
                return self.a(x)
        KEEP = ["a", "b.weight"]
    """,
        )
        == []
    )


def test_layers_reached_without_their_names_are_fine(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        from torch import nn
        class A(nn.Module):
            def __init__(self):
                super().__init__()
                self.first, self.second = nn.Linear(8, 8), nn.Linear(8, 8)
            def forward(self, x):
                for layer in self.children():
                    x = layer(x)
                return x
        class B(nn.Module):
            def __init__(self):
                super().__init__()
                self.conv1, self.conv2 = nn.Linear(8, 8), nn.Linear(8, 8)
            def forward(self, x):
                for i in range(1, 3):
                    x = getattr(self, f"conv{i}")(x)
                return x
        class C(nn.Module):
            def __init__(self):
                super().__init__()
                self.third, self.fourth = nn.Linear(8, 8), nn.Linear(8, 8)
            def forward(self, x):
                return self._modules["x"](x)
    """,
        )
        == []
    )


def test_a_base_that_is_not_known_may_read_it(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        from torch import nn
        from mylib import Backbone
        class Net(Backbone, nn.Module):
            def __init__(self):
                super().__init__()
                self.proj = nn.Linear(8, 8)
            def forward(self, x):
                return super().forward(x)
    """,
        )
        == []
    )


def test_a_module_without_a_forward_is_unknown(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        from torch import nn
        class Base(nn.Module):
            def __init__(self):
                super().__init__()
                self.proj = nn.Linear(8, 8)
        class Abstract(nn.Module):
            def __init__(self):
                super().__init__()
                self.encoder = nn.Linear(8, 8)
            def forward(self, x):
                raise NotImplementedError
    """,
        )
        == []
    )


def test_shared_weights_are_a_use(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        from torch import nn
        class LM(nn.Module):
            def __init__(self):
                super().__init__()
                self.emb = nn.Embedding(10, 8)
                self.out = nn.Linear(8, 10)
                self.out.weight = self.emb.weight
            def forward(self, x):
                return self.emb(x)
    """,
        )
        == []
    )


def test_a_layer_that_is_assigned_twice_is_unknown(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        from torch import nn
        class Net(nn.Module):
            def __init__(self, deep):
                super().__init__()
                self.a = nn.Linear(8, 8)
                if deep:
                    self.b = nn.Linear(8, 8)
                else:
                    self.b = None
            def forward(self, x):
                return self.a(x)
    """,
        )
        == []
    )


def test_tests_are_left_alone(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        from torch import nn
        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.a, self.b = nn.Linear(8, 8), nn.Linear(8, 8)
            def forward(self, x):
                return self.a(x)
    """,
            path="test_unused.py",
        )
        == []
    )
