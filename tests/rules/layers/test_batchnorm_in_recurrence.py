"""Where batchnorm-in-recurrence speaks, and where it must not."""

from __future__ import annotations

from collections.abc import Callable

Lines = Callable[..., list[int]]
RULE = "batchnorm-in-recurrence"


def test_a_normalised_state_of_a_cell_is_found(lines: Lines) -> None:
    assert lines(
        RULE,
        """
        import torch.nn as nn
        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.cell = nn.GRUCell(8, 8)
                self.bn = nn.BatchNorm1d(8)
            def forward(self, x, h):
                for t in range(x.size(1)):
                    h = self.bn(self.cell(x[:, t], h))
                return h
    """,
    ) == [10]


def test_a_normalised_state_in_its_own_statement_is_found(lines: Lines) -> None:
    assert lines(
        RULE,
        """
        import torch.nn as nn
        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.lstm = nn.LSTMCell(8, 8)
                self.norm = nn.BatchNorm1d(8)
            def forward(self, x, h, c):
                outputs = []
                for x_t in x.unbind(1):
                    h, c = self.lstm(x_t, (h, c))
                    h = self.norm(h)
                    outputs.append(h)
                return outputs
    """,
    ) == [12]


def test_a_recurrence_by_hand_is_found(lines: Lines) -> None:
    assert lines(
        RULE,
        """
        import torch
        import torch.nn as nn
        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.wx = nn.Linear(8, 8)
                self.wh = nn.Linear(8, 8)
                self.bn = nn.BatchNorm1d(8)
            def forward(self, x):
                h = torch.zeros(x.size(0), 8)
                for t in range(x.shape[1]):
                    h = torch.tanh(self.bn(self.wx(x[:, t, :]) + self.wh(h)))
                return h
    """,
    ) == [13]


def test_a_state_that_is_normalised_on_its_way_in_is_found(lines: Lines) -> None:
    assert lines(
        RULE,
        """
        from torch import nn
        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.cell = nn.RNNCell(8, 8)
                self.bn = nn.BatchNorm1d(8)
            def forward(self, xs, h):
                for x in xs:
                    h = self.cell(x, self.bn(h))
                return h
    """,
    ) == [10]


def test_layer_norm_is_right(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        import torch.nn as nn
        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.cell = nn.GRUCell(8, 8)
                self.norm = nn.LayerNorm(8)
            def forward(self, x, h):
                for t in range(x.size(1)):
                    h = self.norm(self.cell(x[:, t], h))
                return h
    """,
        )
        == []
    )


def test_a_layer_for_each_step_is_right(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        import torch.nn as nn
        class Net(nn.Module):
            def __init__(self, steps):
                super().__init__()
                self.cell = nn.GRUCell(8, 8)
                self.norms = nn.ModuleList([nn.BatchNorm1d(8) for _ in range(steps)])
            def forward(self, x, h):
                for t in range(x.size(1)):
                    h = self.norms[t](self.cell(x[:, t], h))
                return h
    """,
        )
        == []
    )


def test_before_or_after_a_whole_layer_is_fine(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        import torch.nn as nn
        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.bn0 = nn.BatchNorm1d(8)
                self.lstm = nn.LSTM(8, 8, batch_first=True)
                self.bn1 = nn.BatchNorm1d(8)
            def forward(self, x):
                x = self.bn0(x.transpose(1, 2)).transpose(1, 2)
                out, _ = self.lstm(x)
                return self.bn1(out[:, -1])
    """,
        )
        == []
    )


def test_the_inputs_of_each_step_are_fine(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        import torch.nn as nn
        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.cell = nn.GRUCell(8, 8)
                self.bn = nn.BatchNorm1d(8)
            def forward(self, x, h):
                for t in range(x.size(1)):
                    h = self.cell(self.bn(x[:, t]), h)
                return h
    """,
        )
        == []
    )


def test_outputs_that_are_not_fed_back_are_fine(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        import torch.nn as nn
        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.cell = nn.GRUCell(8, 8)
                self.bn = nn.BatchNorm1d(8)
            def forward(self, x, h):
                outputs = []
                for t in range(x.size(1)):
                    h = self.cell(x[:, t], h)
                    outputs.append(self.bn(h))
                return outputs
    """,
        )
        == []
    )


def test_a_loop_over_layers_is_fine(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        import torch.nn as nn
        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.layers = nn.ModuleList([nn.Linear(8, 8) for _ in range(3)])
                self.bn = nn.BatchNorm1d(8)
            def forward(self, x):
                for layer in self.layers:
                    x = self.bn(layer(x))
                return x
    """,
        )
        == []
    )


def test_a_loop_over_pairs_of_layers_is_fine(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        import torch.nn as nn
        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.convs = nn.ModuleList([nn.Conv1d(8, 8, 3) for _ in range(3)])
                self.bns = nn.ModuleList([nn.BatchNorm1d(8) for _ in range(3)])
            def forward(self, x):
                for conv, bn in zip(self.convs, self.bns):
                    x = bn(conv(x))
                return x
    """,
        )
        == []
    )


def test_a_loop_that_makes_layers_is_fine(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        import torch.nn as nn
        class Net(nn.Module):
            def __init__(self, dims):
                super().__init__()
                layers = []
                for i in range(3):
                    layers.append(nn.Linear(8, 8))
                    layers.append(nn.BatchNorm1d(8))
                self.body = nn.Sequential(*layers)
                self.rnn = nn.GRU(8, 8)
            def forward(self, x):
                return self.rnn(self.body(x))
    """,
        )
        == []
    )


def test_a_training_loop_is_no_recurrence(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        import torch.nn as nn
        net = nn.Sequential(nn.Linear(8, 8), nn.BatchNorm1d(8))
        for x, y in loader:
            out = net(x)
            loss = (out - y).pow(2).mean()
            loss.backward()
    """,
        )
        == []
    )
