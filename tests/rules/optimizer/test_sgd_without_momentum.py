"""Edge cases of sgd-without-momentum."""

import pytest

RULE = "sgd-without-momentum"


@pytest.mark.parametrize(
    "call",
    [
        "torch.optim.SGD(net.parameters(), lr=0.1)",
        "torch.optim.SGD(net.parameters(), 0.1)",
        "torch.optim.SGD(net.parameters(), lr=0.1, momentum=0)",
        "torch.optim.SGD(net.parameters(), 0.1, 0.0, weight_decay=1e-4)",
        "torch.optim.SGD(params=net.parameters(), lr=0.1)",
    ],
)
def test_plain_descent_is_found(lines, call):
    assert lines(
        RULE,
        f"""
        import torch
        optimizer = {call}
    """,
    ) == [3]


def test_plain_descent_under_an_alias_is_found(lines):
    assert lines(
        RULE,
        """
        from torch.optim import SGD as Descent
        optimizer = Descent(net.parameters(), lr=0.1)
    """,
    ) == [3]


def test_plain_descent_in_a_trainer_is_found(lines):
    assert lines(
        RULE,
        """
        import torch.optim as optim
        class Trainer:
            def __init__(self, model):
                self.optimizer = optim.SGD(model.parameters(), lr=1e-3)
    """,
    ) == [5]


def test_a_default_of_zero_is_found(lines):
    assert lines(
        RULE,
        """
        import argparse
        import torch
        parser = argparse.ArgumentParser()
        parser.add_argument("--momentum", type=float, default=0.0)
        args = parser.parse_args()
        optimizer = torch.optim.SGD(net.parameters(), lr=0.1, momentum=args.momentum)
    """,
    ) == [7]


def test_momentum_is_fine(lines):
    assert (
        lines(
            RULE,
            """
        import torch
        a = torch.optim.SGD(net.parameters(), lr=0.1, momentum=0.9)
        b = torch.optim.SGD(net.parameters(), 0.1, 0.9)
    """,
        )
        == []
    )


def test_an_unknown_momentum_is_not_guessed(lines):
    assert (
        lines(
            RULE,
            """
        import torch
        def make(net, momentum, settings):
            a = torch.optim.SGD(net.parameters(), lr=0.1, momentum=momentum)
            b = torch.optim.SGD(net.parameters(), lr=0.1, **settings)
            c = torch.optim.SGD(net.parameters(), *settings)
    """,
        )
        == []
    )


def test_momentum_in_a_known_dict_is_fine(lines):
    assert (
        lines(
            RULE,
            """
        import torch
        settings = dict(lr=0.1, momentum=0.9)
        optimizer = torch.optim.SGD(net.parameters(), **settings)
    """,
        )
        == []
    )


def test_tensors_optimised_directly_are_fine(lines):
    assert (
        lines(
            RULE,
            """
        import torch
        x = torch.zeros(3, requires_grad=True)
        optimizer = torch.optim.SGD([x], lr=0.1)
    """,
        )
        == []
    )


def test_momentum_in_the_groups_is_fine(lines):
    assert (
        lines(
            RULE,
            """
        import torch
        optimizer = torch.optim.SGD(
            [{"params": net.parameters(), "momentum": 0.9}], lr=0.1
        )
    """,
        )
        == []
    )


def test_other_optimizers_are_fine(lines):
    assert (
        lines(
            RULE,
            """
        import torch
        a = torch.optim.Adam(net.parameters(), lr=1e-3)
        b = torch.optim.RMSprop(net.parameters(), lr=1e-3)
    """,
        )
        == []
    )


def test_a_class_of_the_same_name_is_fine(lines):
    assert (
        lines(
            RULE,
            """
        from sklearn_like import SGD
        optimizer = SGD(net.parameters(), lr=0.1)
    """,
        )
        == []
    )
