"""Where log-of-softmax speaks, and where it must not."""

from __future__ import annotations

from collections.abc import Callable

Lines = Callable[..., list[int]]
RULE = "log-of-softmax"


def test_the_nested_call_is_found(lines: Lines) -> None:
    assert lines(
        RULE,
        """
        import torch
        import torch.nn.functional as F
        def f(net, x):
            return torch.log(F.softmax(net(x), dim=1))
    """,
    ) == [5]


def test_methods_are_found(lines: Lines) -> None:
    assert lines(
        RULE,
        """
        import torch
        def f(net, x):
            return net(x).softmax(-1).log(), torch.sigmoid(net(x)).log()
    """,
    ) == [4, 4]


def test_a_variable_is_followed(lines: Lines) -> None:
    assert lines(
        RULE,
        """
        import torch
        from torch.nn import functional as nnf
        def f(net, x):
            p = nnf.softmax(net(x), dim=1)
            picked = p.squeeze(0)
            return torch.log(picked)
    """,
    ) == [7]


def test_a_layer_of_a_trainer_is_found(lines: Lines) -> None:
    assert lines(
        RULE,
        """
        import torch
        import torch.nn as nn
        class Policy(nn.Module):
            def __init__(self):
                super().__init__()
                self.body = nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 2), nn.Softmax(dim=-1))
            def forward(self, x):
                return self.body(x)
        class Trainer:
            def __init__(self):
                self.policy = Policy()
            def loss(self, state, action, advantage):
                log_p = torch.log(self.policy(state))
                return -(log_p[action] * advantage).mean()
    """,
    ) == [14]


def test_a_discriminator_that_ends_in_a_sigmoid_is_found(lines: Lines) -> None:
    assert lines(
        RULE,
        """
        import torch
        from torch import nn
        D = nn.Sequential(nn.Linear(8, 1), nn.Sigmoid())
        def generator_loss(fake):
            return -torch.log(D(fake)).mean()
    """,
    ) == [6]


def test_a_small_number_inside_of_the_logarithm_is_fine(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        import torch
        import torch.nn.functional as F
        def f(net, x):
            p = F.softmax(net(x), dim=1)
            return torch.log(p + 1e-8), (p + 1e-8).log(), torch.log(p.clamp(min=1e-6))
    """,
        )
        == []
    )


def test_a_clamp_in_between_is_fine(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        import torch
        def f(net, x):
            p = torch.sigmoid(net(x))
            p = torch.clamp(p, 1e-6, 1 - 1e-6)
            return torch.log(p)
    """,
        )
        == []
    )


def test_log_softmax_is_fine(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        import torch.nn.functional as F
        def f(net, x):
            return F.log_softmax(net(x), dim=1), F.logsigmoid(net(x))
    """,
        )
        == []
    )


def test_a_test_may_write_the_formula_out(diagnoses: Callable[..., list]) -> None:
    source = """
        import torch
        def test_entropy(shape=(8, 4)):
            p = torch.randn(*shape).softmax(-1)
            expected = -torch.sum(p * p.log(), dim=-1)
    """
    assert diagnoses(RULE, source)
    assert diagnoses(RULE, source, path="test_entropy.py") == []


def test_nothing_is_said_without_gradients(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        import torch
        def entropy(net, x):
            with torch.no_grad():
                p = torch.softmax(net(x), 1)
                return -(p * torch.log(p)).sum()
    """,
        )
        == []
    )


def test_a_softmax_under_a_condition_is_unknown(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        import torch
        def f(net, x, normalise):
            p = net(x)
            if normalise:
                p = torch.softmax(p, 1)
            return torch.log(p)
    """,
        )
        == []
    )


def test_the_log_of_a_logger_is_nothing(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        import torch
        def f(logger, net, x):
            p = torch.softmax(net(x), 1)
            logger.log(p)
            logger.log()
            return p
    """,
        )
        == []
    )


def test_a_weighted_sum_of_probabilities_is_fine(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        import torch
        def mixture(gate, experts, x):
            p = torch.softmax(gate(x), -1)
            return torch.log((p * experts(x)).sum(-1))
    """,
        )
        == []
    )


def test_the_fix_puts_both_into_one(diagnoses: Callable[..., list]) -> None:
    [one] = diagnoses(
        RULE, "import torch\nimport torch.nn.functional as F\ny = torch.log(F.softmax(z, 1))\n"
    )
    assert [edit.replacement for edit in one.fix.edits] == ["F.log_softmax(z, 1)"]


def test_there_is_no_fix_where_the_probabilities_serve_elsewhere(
    diagnoses: Callable[..., list],
) -> None:
    [one] = diagnoses(
        RULE,
        """
        import torch
        def entropy(z):
            p = torch.softmax(z, 1)
            return -(p * torch.log(p)).sum()
        """,
    )
    assert one.fix is None


def test_a_table_of_the_function_is_fine(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
            import torch
            from torch import nn
            class Walks(nn.Module):
                def __init__(self):
                    super().__init__()
                    self.embeddings = nn.Embedding(100, 16)
                    self.logsigmoid = torch.log(torch.sigmoid(torch.arange(-6.01, 6.01, 0.01)))
            """,
        )
        == []
    )


def test_a_number_to_look_at_is_fine(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
            import torch
            from torch import nn
            class Agent(nn.Module):
                def forward(self, scores, chosen):
                    probabilities = torch.softmax(scores, dim=-1)
                    told = probabilities[chosen].log().cpu().numpy()
                    return told, torch.softmax(scores, -1)[0].log().item()
            """,
        )
        == []
    )
