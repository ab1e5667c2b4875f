"""Where kl-div-not-log-or-mean speaks, and where it must not."""

from __future__ import annotations

from collections.abc import Callable

Lines = Callable[..., list[int]]
RULE = "kl-div-not-log-or-mean"


def test_probabilities_as_input_are_found(lines: Lines) -> None:
    assert lines(
        RULE,
        """
        import torch.nn.functional as F
        def f(s, t, x):
            return F.kl_div(F.softmax(s(x), 1), F.softmax(t(x), 1), reduction="batchmean")
    """,
    ) == [4]


def test_the_default_reduction_is_found(lines: Lines) -> None:
    assert lines(
        RULE,
        """
        import torch.nn.functional as F
        def f(s, t, x):
            return F.kl_div(F.log_softmax(s(x), 1), F.softmax(t(x), 1))
    """,
    ) == [4]


def test_a_module_with_the_default_reduction_is_found(lines: Lines) -> None:
    assert lines(
        RULE,
        """
        import torch
        from torch import nn
        class Distiller:
            def __init__(self):
                self.kl = nn.KLDivLoss()
            def loss(self, s, t):
                return self.kl(torch.log_softmax(s, 1), torch.softmax(t, 1))
    """,
    ) == [8]


def test_logarithms_as_target_are_found(lines: Lines) -> None:
    assert lines(
        RULE,
        """
        import torch.nn.functional as F
        def f(s, t):
            p, q = F.log_softmax(s, -1), F.log_softmax(t, -1)
            return F.kl_div(p, q, reduction="sum")
    """,
    ) == [5]


def test_a_model_that_ends_in_a_softmax_is_found(lines: Lines) -> None:
    assert lines(
        RULE,
        """
        import torch.nn.functional as F
        from torch import nn
        student = nn.Sequential(nn.Linear(8, 3), nn.Softmax(dim=-1))
        def f(x, q):
            return F.kl_div(student(x), q, reduction="batchmean")
    """,
    ) == [6]


def test_the_right_way_is_fine(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        import torch.nn.functional as F
        from torch import nn
        kl = nn.KLDivLoss(reduction="batchmean")
        log_kl = nn.KLDivLoss(reduction="batchmean", log_target=True)
        def f(s, t):
            a = F.kl_div(F.log_softmax(s, 1), F.softmax(t, 1), reduction="batchmean")
            b = kl(s.log_softmax(1), t.softmax(1))
            return a + b + log_kl(s.log_softmax(1), t.log_softmax(1))
    """,
        )
        == []
    )


def test_a_reduction_that_is_written_is_meant(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        import torch.nn.functional as F
        from torch import nn
        def f(p, q):
            a = F.kl_div(p, q, reduction="mean") + F.kl_div(p, q, reduction="none").sum(-1).mean()
            b = F.kl_div(p, q, size_average=False) + F.kl_div(p, q, None, None, "sum")
            return a + b + nn.KLDivLoss(size_average=False)(p, q)
    """,
        )
        == []
    )


def test_unknown_options_are_unknown(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        import torch.nn.functional as F
        def f(p, q, **options):
            return F.kl_div(p, q, **options)
    """,
        )
        == []
    )


def test_a_divergence_for_watching_is_fine(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        import torch
        import torch.nn.functional as F
        @torch.no_grad()
        def watch(s, t):
            return F.kl_div(F.log_softmax(s, 1), F.softmax(t, 1))
    """,
        )
        == []
    )


def test_an_unknown_input_is_taken_for_logarithms(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        import torch.nn.functional as F
        def f(s, t):
            return F.kl_div(s.log_prob, t.prob, reduction="batchmean")
    """,
        )
        == []
    )


def test_a_divergence_of_distributions_is_something_else(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        import torch
        from torch.distributions import kl_divergence
        def f(p, q):
            return kl_divergence(p, q).mean()
    """,
        )
        == []
    )


def test_a_softmax_that_an_if_decides_about_is_unknown(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        import torch.nn.functional as F
        def f(s, t, log):
            p = F.log_softmax(s, 1)
            if not log:
                p = F.softmax(s, 1)
            return F.kl_div(p, t, reduction="batchmean")
    """,
        )
        == []
    )


def test_the_fix_of_a_module_is_made_where_it_is_built(diagnoses: Callable[..., list]) -> None:
    [one] = diagnoses(
        RULE,
        """
        from torch import nn
        kl = nn.KLDivLoss()
        def f(s, t):
            return kl(s.log_softmax(1), t.log_softmax(1))
        """,
    )
    assert [edit.replacement for edit in one.fix.edits] == [
        'reduction="batchmean", log_target=True'
    ]


def test_there_is_no_fix_where_the_probabilities_serve_elsewhere(
    diagnoses: Callable[..., list],
) -> None:
    [one] = diagnoses(
        RULE,
        """
        import torch.nn.functional as F
        def f(s, q):
            p = F.softmax(s, 1)
            return F.kl_div(p, q, reduction="batchmean"), p.argmax(1)
        """,
    )
    assert one.fix is None
