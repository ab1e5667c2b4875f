"""Where squeeze-drops-batch-dim speaks, and where it must not."""

from __future__ import annotations

from collections.abc import Callable

Lines = Callable[..., list[int]]
RULE = "squeeze-drops-batch-dim"


def test_the_result_of_a_forward_is_found(lines: Lines) -> None:
    assert lines(
        RULE,
        """
        import torch.nn as nn
        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.fc = nn.Linear(8, 1)
            def forward(self, x):
                return self.fc(x).squeeze()
    """,
    ) == [8]


def test_a_variable_and_a_sigmoid_are_followed(lines: Lines) -> None:
    assert lines(
        RULE,
        """
        import torch
        import torch.nn as nn
        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.net = nn.Sequential(nn.Linear(8, 8), nn.ReLU(), nn.Linear(8, 1))
            def forward(self, x):
                out = torch.sigmoid(self.net(x))
                out = torch.squeeze(out)
                return out
    """,
    ) == [10]


def test_the_input_of_a_loss_is_found(lines: Lines) -> None:
    assert lines(
        RULE,
        """
        import torch.nn.functional as F
        from torch import nn
        net = nn.Sequential(nn.Linear(8, 1))
        def f(x, y):
            pred = net(x).squeeze()
            return F.mse_loss(pred, y)
    """,
    ) == [6]


def test_the_output_of_a_model_is_found_at_a_loss(lines: Lines) -> None:
    assert lines(
        RULE,
        """
        import torch
        import torch.nn as nn
        def train(model, loader, optimizer):
            criterion = nn.BCEWithLogitsLoss()
            for x, y in loader:
                optimizer.zero_grad()
                loss = criterion(model(x).squeeze(), y.float())
                loss.backward()
                optimizer.step()
    """,
    ) == [8]


def test_a_named_dimension_is_fine(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        import torch
        import torch.nn as nn
        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.fc = nn.Linear(8, 1)
            def forward(self, x):
                return self.fc(x).squeeze(-1), self.fc(x).squeeze(dim=1), torch.squeeze(self.fc(x), 1)
    """,
        )
        == []
    )


def test_a_target_that_is_squeezed_alike_is_fine(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        import torch.nn.functional as F
        from torch import nn
        net = nn.Linear(8, 1)
        def f(x, y):
            return F.mse_loss(net(x).squeeze(), y.squeeze())
    """,
        )
        == []
    )


def test_several_outputs_are_unknown(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        import torch.nn as nn
        class Net(nn.Module):
            def __init__(self, n):
                super().__init__()
                self.a, self.b = nn.Linear(8, n), nn.Linear(8, 4)
            def forward(self, x):
                return self.a(x).squeeze(), self.b(x).squeeze()
    """,
        )
        == []
    )


def test_metrics_are_left_alone(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        import torch
        from torch import nn
        net = nn.Linear(8, 1)
        def accuracy(x, y):
            with torch.no_grad():
                return (net(x).squeeze().round() == y).float().mean()
        def show(x):
            print(net(x).squeeze())
    """,
        )
        == []
    )


def test_arrays_are_left_alone(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        import numpy as np
        import torch
        def f(frame):
            return np.squeeze(frame), frame.squeeze()
    """,
        )
        == []
    )


def test_the_fix_names_the_last_dimension_where_the_layer_is_known(
    diagnoses: Callable[..., list],
) -> None:
    found = diagnoses(
        RULE,
        """
        import torch
        import torch.nn.functional as F
        from torch import nn
        net = nn.Linear(8, 1)
        def f(model, optimizer, x, y):
            a = F.mse_loss(net(x).squeeze(), y)
            b = F.mse_loss(torch.squeeze(net(x)), y)
            c = F.mse_loss(model(x).squeeze(), y)
            return a + b + c
        """,
    )
    assert [one.fix and one.fix.edits[0].replacement for one in found][:2] == [
        "net(x).squeeze(-1)",
        ", dim=-1",
    ]
    assert all(one.fix is None for one in found[2:])


def test_one_number_of_each_row_is_found(lines: Lines) -> None:
    assert lines(
        RULE,
        """
        import torch
        import torch.nn.functional as F
        from torch import nn
        policy = nn.Sequential(nn.Linear(4, 16), nn.Tanh(), nn.Linear(16, 3))
        def f(model, states, taken, returns):
            a = F.mse_loss(model(states).gather(1, taken).squeeze(), returns)
            values = policy(states)
            b = F.mse_loss(torch.gather(values, dim=1, index=taken).squeeze(), returns)
            c = F.mse_loss(model(states).gather(0, taken).squeeze(), returns)
            return a + b + c
    """,
    ) == [7, 9]
