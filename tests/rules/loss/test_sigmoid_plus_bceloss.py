"""Where sigmoid-plus-bceloss speaks, how loud, and where it must not."""

from __future__ import annotations

from collections.abc import Callable

Lines = Callable[..., list[int]]
RULE = "sigmoid-plus-bceloss"


def test_the_nested_call_is_found(lines: Lines) -> None:
    assert lines(
        RULE,
        """
        import torch
        from torch import nn
        def f(z, y):
            return nn.BCELoss()(torch.sigmoid(z), y)
    """,
    ) == [5]


def test_a_model_that_ends_in_a_sigmoid_is_found(lines: Lines) -> None:
    assert lines(
        RULE,
        """
        from torch import nn
        class D(nn.Module):
            def __init__(self):
                super().__init__()
                self.net = nn.Sequential(nn.Linear(8, 1), nn.Sigmoid())
            def forward(self, x):
                return self.net(x).view(-1)
        netD = D()
        criterion = nn.BCELoss()
        def f(real, label):
            output = netD(real)
            return criterion(output, label)
    """,
    ) == [13]


def test_the_function_is_found(lines: Lines) -> None:
    assert lines(
        RULE,
        """
        import torch.nn.functional as F
        def f(z, y):
            p = z.sigmoid()
            return F.binary_cross_entropy(p, y)
    """,
    ) == [5]


def test_a_trainer_is_found(lines: Lines) -> None:
    assert lines(
        RULE,
        """
        import torch
        from torch import nn
        class T:
            def __init__(self):
                self.loss_fn = nn.BCELoss()
            def step(self, z, y):
                return self.loss_fn(torch.sigmoid(z).squeeze(1), y)
    """,
    ) == [8]


def test_the_loss_with_logits_is_fine(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        import torch.nn.functional as F
        def f(z, y):
            return F.binary_cross_entropy_with_logits(z, y)
    """,
        )
        == []
    )


def test_probabilities_of_an_unknown_model_are_unknown(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        import torch.nn.functional as F
        def f(net, x, y):
            return F.binary_cross_entropy(net(x), y)
    """,
        )
        == []
    )


def test_a_softmax_is_not_this_rule(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        import torch.nn.functional as F
        def f(z, y):
            return F.binary_cross_entropy(F.softmax(z, 1), y)
    """,
        )
        == []
    )


def test_a_clamp_in_between_is_unknown(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        import torch
        import torch.nn.functional as F
        def f(z, y):
            return F.binary_cross_entropy(torch.clamp(torch.sigmoid(z), 0.01, 0.99), y)
    """,
        )
        == []
    )


def test_a_sigmoid_under_a_condition_is_unknown(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        import torch
        import torch.nn.functional as F
        def f(z, y, squash):
            if squash:
                z = torch.sigmoid(z)
            return F.binary_cross_entropy(z, y)
    """,
        )
        == []
    )


def test_it_is_an_error_under_autocast_only(diagnoses: Callable[..., list]) -> None:
    found = diagnoses(
        RULE,
        """
        import torch
        import torch.nn.functional as F
        from torch.cuda.amp import autocast
        def f(z, y, amp):
            a = F.binary_cross_entropy(torch.sigmoid(z), y)
            with autocast():
                b = F.binary_cross_entropy(torch.sigmoid(z), y)
            with torch.autocast("cuda", dtype=torch.float16):
                c = F.binary_cross_entropy(torch.sigmoid(z), y)
            with torch.autocast("cpu"):
                d = F.binary_cross_entropy(torch.sigmoid(z), y)
            with autocast(enabled=amp):
                e = F.binary_cross_entropy(torch.sigmoid(z), y)
            with autocast(enabled=False):
                return F.binary_cross_entropy(torch.sigmoid(z), y)
        """,
    )
    kinds = [str(one.severity) for one in found]
    assert kinds == ["advice", "error", "error", "advice", "advice", "advice"]


def test_there_is_no_fix_where_the_probabilities_serve_elsewhere(
    diagnoses: Callable[..., list],
) -> None:
    [one] = diagnoses(
        RULE,
        """
        import torch
        import torch.nn.functional as F
        def f(z, y):
            p = torch.sigmoid(z)
            return F.binary_cross_entropy(p, y), (p > 0.5).float().mean()
        """,
    )
    assert one.fix is None
