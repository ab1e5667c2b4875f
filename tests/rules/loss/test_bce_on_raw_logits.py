"""Where bce-on-raw-logits speaks, and where it must not."""

from __future__ import annotations

from collections.abc import Callable

Lines = Callable[..., list[int]]
RULE = "bce-on-raw-logits"


def test_the_function_is_found(lines: Lines) -> None:
    assert lines(
        RULE,
        """
        import torch.nn.functional as F
        from torch import nn
        fc = nn.Linear(8, 1)
        def f(x, y):
            return F.binary_cross_entropy(fc(x), y)
    """,
    ) == [6]


def test_the_module_behind_self_is_found(lines: Lines) -> None:
    assert lines(
        RULE,
        """
        import torch
        import torch.nn as nn
        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.fc1 = nn.Linear(8, 8)
                self.fc2 = nn.Linear(8, 1)
            def forward(self, x):
                return self.fc2(torch.relu(self.fc1(x)))
        class Trainer:
            def __init__(self):
                self.net = Net().to("cuda")
                self.criterion = nn.BCELoss()
            def step(self, x, y):
                out = self.net(x)
                return self.criterion(out.squeeze(-1), y)
    """,
    ) == [17]


def test_a_lightning_step_is_found(lines: Lines) -> None:
    assert lines(
        RULE,
        """
        import lightning as L
        import torch.nn as nn
        import torch.nn.functional as F
        class Lit(L.LightningModule):
            def __init__(self):
                super().__init__()
                self.head = nn.Linear(8, 1)
            def forward(self, x):
                return self.head(x)
            def training_step(self, batch, _):
                x, y = batch
                return F.binary_cross_entropy(self(x), y)
    """,
    ) == [13]


def test_a_convolution_is_found(lines: Lines) -> None:
    assert lines(
        RULE,
        """
        import torch.nn.functional as F
        from torch import nn
        net = nn.Sequential(nn.Conv2d(3, 8, 3), nn.ReLU(), nn.Conv2d(8, 1, 1))
        def f(x, y):
            return F.binary_cross_entropy(net(x), y)
    """,
    ) == [6]


def test_a_sigmoid_before_the_loss_is_fine(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        import torch
        import torch.nn.functional as F
        from torch import nn
        fc = nn.Linear(8, 1)
        def f(x, y):
            return F.binary_cross_entropy(torch.sigmoid(fc(x)), y) + F.binary_cross_entropy(fc(x).sigmoid(), y)
    """,
        )
        == []
    )


def test_a_sigmoid_in_the_model_is_fine(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        from torch import nn
        net = nn.Sequential(nn.Linear(8, 1), nn.Sigmoid())
        loss = nn.BCELoss()
        def f(x, y):
            return loss(net(x), y)
    """,
        )
        == []
    )


def test_an_unknown_model_is_unknown(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        import torch.nn.functional as F
        def f(model, x, y):
            return F.binary_cross_entropy(model(x), y)
    """,
        )
        == []
    )


def test_the_loss_with_logits_is_fine(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        from torch import nn
        net, loss = nn.Linear(8, 1), nn.BCEWithLogitsLoss()
        def f(x, y):
            return loss(net(x), y)
    """,
        )
        == []
    )


def test_a_head_that_is_replaced_is_unknown(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        from torch import nn
        import torch.nn.functional as F
        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.head = nn.Linear(8, 1)
            def forward(self, x):
                return self.head(x)
        net = Net()
        net.head = nn.Sequential(nn.Linear(8, 1), nn.Sigmoid())
        def f(x, y):
            return F.binary_cross_entropy(net(x), y)
    """,
        )
        == []
    )


def test_a_test_that_expects_the_error_is_fine(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        import pytest
        import torch.nn.functional as F
        from torch import nn
        fc = nn.Linear(8, 1)
        def test_it(x, y):
            with pytest.raises(RuntimeError):
                F.binary_cross_entropy(fc(x), y)
    """,
        )
        == []
    )


def test_an_output_that_depends_on_the_mode_is_unknown(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        import torch
        import torch.nn.functional as F
        from torch import nn
        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.fc = nn.Linear(8, 1)
            def forward(self, x):
                if self.training:
                    return torch.sigmoid(self.fc(x))
                return self.fc(x)
        net = Net()
        def f(x, y):
            return F.binary_cross_entropy(net(x), y)
    """,
        )
        == []
    )


def test_a_criterion_that_others_use_rightly_is_not_renamed(diagnoses: Callable[..., list]) -> None:
    [one] = diagnoses(
        RULE,
        """
        import torch
        from torch import nn
        first, second, criterion = nn.Linear(8, 1), nn.Linear(8, 1), nn.BCELoss()
        def f(x, y):
            return criterion(first(x), y) + criterion(torch.sigmoid(second(x)), y)
        """,
    )
    assert one.fix is None


def test_a_sum_with_a_raw_score_is_found(lines: Lines) -> None:
    assert lines(
        RULE,
        """
        import torch
        from torch import nn
        class WideAndDeep(nn.Module):
            def __init__(self):
                super().__init__()
                self.wide = nn.EmbeddingBag(900, 1)
                self.deep = nn.Sequential(nn.Linear(8, 8), nn.ReLU(), nn.Linear(8, 1))
            def forward(self, ids, x):
                bias = self.wide(ids)
                return (self.deep(x) + bias - x.sum(1, keepdim=True)).flatten()
        net, bce = WideAndDeep(), nn.BCELoss()
        def f(ids, x, y):
            return bce(net(ids, x), y)
    """,
    ) == [14]


def test_a_sum_without_a_raw_score_or_behind_a_sigmoid_is_fine(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        import torch
        from torch import nn
        import torch.nn.functional as F
        a, b = nn.Sequential(nn.Linear(8, 1), nn.Sigmoid()), nn.Linear(8, 1)
        def f(x, prior, y):
            mean = (a(x) + prior) / 2
            other = a(x) + prior
            late = torch.sigmoid(b(x) + prior)
            scaled = 0.5 + 0.01 * b(x)
            return sum(F.binary_cross_entropy(one, y) for one in (mean, other, late, scaled))
    """,
        )
        == []
    )
