"""Edge cases of momentum-without-nesterov."""

import pytest

RULE = "momentum-without-nesterov"


@pytest.mark.parametrize(
    "call",
    [
        "torch.optim.SGD(net.parameters(), lr=0.1, momentum=0.9)",
        "torch.optim.SGD(net.parameters(), 0.1, 0.9)",
        "torch.optim.SGD(net.parameters(), lr=0.1, momentum=0.9, nesterov=False)",
        "torch.optim.SGD(params=net.parameters(), lr=0.1, momentum=0.9, weight_decay=1e-4)",
    ],
)
def test_plain_momentum_is_found(lines, call):
    assert lines(
        RULE,
        f"""
        import torch
        optimizer = {call}
    """,
    ) == [3]


def test_a_momentum_in_a_constant_is_found(lines):
    assert lines(
        RULE,
        """
        import torch.optim as optim
        MOMENTUM = 0.9
        optimizer = optim.SGD(net.parameters(), lr=0.1, momentum=MOMENTUM)
    """,
    ) == [4]


def test_a_momentum_from_argparse_is_found(lines):
    assert lines(
        RULE,
        """
        import argparse
        from torch.optim import SGD
        parser = argparse.ArgumentParser()
        parser.add_argument("--momentum", type=float, default=0.5)
        args = parser.parse_args()
        optimizer = SGD(net.parameters(), lr=0.1, momentum=args.momentum)
    """,
    ) == [7]


def test_the_mend_adds_the_keyword(diagnoses):
    (one,) = diagnoses(
        RULE,
        """
        import torch
        optimizer = torch.optim.SGD(net.parameters(), lr=0.1, momentum=0.9)
    """,
    )
    assert "nesterov=True" in one.remedy


def test_nesterov_is_fine(lines):
    assert (
        lines(
            RULE,
            """
        import torch
        a = torch.optim.SGD(net.parameters(), lr=0.1, momentum=0.9, nesterov=True)
        b = torch.optim.SGD(net.parameters(), 0.1, 0.9, 0, 1e-4, True)
    """,
        )
        == []
    )


def test_no_momentum_is_another_matter(lines):
    assert (
        lines(
            RULE,
            """
        import torch
        a = torch.optim.SGD(net.parameters(), lr=0.1)
        b = torch.optim.SGD(net.parameters(), lr=0.1, momentum=0.0)
    """,
        )
        == []
    )


def test_an_unknown_setting_is_not_guessed(lines):
    assert (
        lines(
            RULE,
            """
        import torch
        def make(net, momentum, nesterov, settings):
            a = torch.optim.SGD(net.parameters(), lr=0.1, momentum=momentum)
            b = torch.optim.SGD(net.parameters(), lr=0.1, momentum=0.9, nesterov=nesterov)
            c = torch.optim.SGD(net.parameters(), lr=0.1, momentum=0.9, **settings)
    """,
        )
        == []
    )


def test_dampening_excludes_nesterov(lines):
    assert (
        lines(
            RULE,
            """
        import torch
        optimizer = torch.optim.SGD(net.parameters(), lr=0.1, momentum=0.9, dampening=0.1)
    """,
        )
        == []
    )


def test_the_momentum_of_rmsprop_has_no_nesterov(lines):
    assert (
        lines(
            RULE,
            """
        import torch
        optimizer = torch.optim.RMSprop(net.parameters(), lr=1e-3, momentum=0.9)
    """,
        )
        == []
    )


def test_nesterov_in_a_known_dict_is_fine(lines):
    assert (
        lines(
            RULE,
            """
        import torch
        settings = {"momentum": 0.9, "nesterov": True}
        optimizer = torch.optim.SGD(net.parameters(), lr=0.1, **settings)
    """,
        )
        == []
    )


def test_nesterov_in_the_groups_is_fine(lines):
    assert (
        lines(
            RULE,
            """
        import torch
        groups = [{"params": net.parameters(), "nesterov": True}]
        optimizer = torch.optim.SGD(
            [{"params": net.parameters(), "nesterov": True}], lr=0.1, momentum=0.9
        )
    """,
        )
        == []
    )


def test_the_momentum_of_a_norm_is_another_thing(lines):
    assert (
        lines(
            RULE,
            """
        from torch import nn
        norm = nn.BatchNorm2d(8, momentum=0.9)
    """,
        )
        == []
    )
