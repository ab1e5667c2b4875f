"""Where log-softmax-before-cross-entropy speaks, and where it must not."""

from __future__ import annotations

from collections.abc import Callable

Lines = Callable[..., list[int]]
RULE = "log-softmax-before-cross-entropy"


def test_the_nested_call_is_found(lines: Lines) -> None:
    assert lines(
        RULE,
        """
        import torch.nn.functional as F
        def f(z, y):
            return F.cross_entropy(F.log_softmax(z, 1), y)
    """,
    ) == [4]


def test_a_model_that_ends_in_a_log_softmax_is_found(lines: Lines) -> None:
    assert lines(
        RULE,
        """
        import torch.nn as nn
        import torch.nn.functional as F
        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.fc = nn.Linear(8, 3)
            def forward(self, x):
                return F.log_softmax(self.fc(x), dim=1)
        net, criterion = Net(), nn.CrossEntropyLoss()
        def f(x, y):
            return criterion(net(x), y)
    """,
    ) == [12]


def test_a_layer_and_a_method_are_found(lines: Lines) -> None:
    assert lines(
        RULE,
        """
        import torch
        from torch import nn
        soft, criterion = nn.LogSoftmax(dim=-1), nn.CrossEntropyLoss()
        def f(z, y):
            return criterion(soft(z), y) + criterion(z.log_softmax(-1).view(-1, 3), y)
    """,
    ) == [6, 6]


def test_a_lightning_step_is_found(lines: Lines) -> None:
    assert lines(
        RULE,
        """
        import pytorch_lightning as pl
        import torch.nn.functional as F
        from torch import nn
        class Lit(pl.LightningModule):
            def __init__(self):
                super().__init__()
                self.fc = nn.Linear(8, 3)
            def forward(self, x):
                return F.log_softmax(self.fc(x), -1)
            def training_step(self, batch, i):
                x, y = batch
                return F.cross_entropy(self(x), y)
    """,
    ) == [13]


def test_nll_is_fine(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        import torch.nn.functional as F
        def f(z, y):
            return F.nll_loss(F.log_softmax(z, 1), y)
    """,
        )
        == []
    )


def test_logits_are_fine(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        import torch.nn.functional as F
        def f(net, x, y):
            z = net(x)
            return F.cross_entropy(z, y), F.log_softmax(z, 1)
    """,
        )
        == []
    )


def test_a_softmax_is_another_rule(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        import torch.nn.functional as F
        def f(z, y):
            return F.cross_entropy(F.softmax(z, 1), y)
    """,
        )
        == []
    )


def test_one_of_two_ways_is_unknown(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        import torch.nn.functional as F
        def f(z, y, log):
            p = F.log_softmax(z, 1) if log else z
            return F.cross_entropy(p, y)
    """,
        )
        == []
    )


def test_arithmetic_on_log_probabilities_is_unknown(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        import torch.nn.functional as F
        def f(z, prior, y):
            return F.cross_entropy(F.log_softmax(z, 1) + prior, y)
    """,
        )
        == []
    )


def test_an_averaged_ensemble_is_unknown(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        import torch
        import torch.nn.functional as F
        def f(zs, y):
            return F.cross_entropy(torch.stack([F.log_softmax(z, 1) for z in zs]).mean(0), y)
    """,
        )
        == []
    )


def test_tests_are_left_alone(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        import torch.nn.functional as F
        def test_it(z, y):
            assert F.cross_entropy(F.log_softmax(z, 1), y) == F.cross_entropy(z, y)
    """,
            path="test_losses.py",
        )
        == []
    )


def test_the_fix_hands_over_the_logits(diagnoses: Callable[..., list]) -> None:
    [one] = diagnoses(
        RULE, "import torch.nn.functional as F\nloss = F.cross_entropy(F.log_softmax(z, 1), y)\n"
    )
    assert [edit.replacement for edit in one.fix.edits] == ["z"]
