"""Edge cases of unusual-momentum."""

import pytest

RULE = "unusual-momentum"


@pytest.mark.parametrize(
    "call",
    [
        "torch.optim.SGD(net.parameters(), lr=0.1, momentum=0.5)",
        "torch.optim.SGD(net.parameters(), 0.1, 0.1)",
        "torch.optim.SGD(net.parameters(), lr=0.1, momentum=0.9999, nesterov=True)",
        "torch.optim.RMSprop(net.parameters(), lr=1e-3, momentum=0.3)",
    ],
)
def test_a_momentum_far_from_nine_tenths_is_found(lines, call):
    assert lines(
        RULE,
        f"""
        import torch
        optimizer = {call}
    """,
    ) == [3]


def test_a_momentum_from_argparse_is_found(lines):
    assert lines(
        RULE,
        """
        import argparse
        import torch.optim as optim
        parser = argparse.ArgumentParser()
        parser.add_argument("--momentum", type=float, default=0.5)
        args = parser.parse_args()
        optimizer = optim.SGD(net.parameters(), lr=0.1, momentum=args.momentum)
    """,
    ) == [7]


def test_a_momentum_in_a_constant_is_found(lines):
    assert lines(
        RULE,
        """
        from torch.optim import SGD
        MOMENTUM = 0.25
        optimizer = SGD(net.parameters(), lr=0.1, momentum=MOMENTUM)
    """,
    ) == [4]


def test_the_bounds_can_be_set(lines):
    source = """
        import torch
        optimizer = torch.optim.SGD(net.parameters(), lr=0.1, momentum=0.5)
    """
    assert lines(RULE, source, lowest=0.4) == []


@pytest.mark.parametrize("momentum", ["0.9", "0.8", "0.937", "0.95", "0.99", "momentum"])
def test_usual_and_unknown_momenta_are_fine(lines, momentum):
    assert (
        lines(
            RULE,
            f"""
        import torch
        optimizer = torch.optim.SGD(net.parameters(), lr=0.1, momentum={momentum})
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
        b = torch.optim.SGD(net.parameters(), lr=0.1, momentum=0)
        c = torch.optim.RMSprop(net.parameters(), lr=0.1)
    """,
        )
        == []
    )


def test_a_momentum_out_of_range_belongs_to_another_rule(lines):
    assert (
        lines(
            RULE,
            """
        import torch
        a = torch.optim.SGD(net.parameters(), lr=0.1, momentum=9)
        b = torch.optim.SGD(net.parameters(), lr=0.1, momentum=-0.5)
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
        norm = nn.BatchNorm2d(8, momentum=0.1)
    """,
        )
        == []
    )


def test_the_decay_rates_of_adam_are_another_thing(lines):
    assert (
        lines(
            RULE,
            """
        import torch
        optimizer = torch.optim.Adam(net.parameters(), betas=(0.5, 0.999))
    """,
        )
        == []
    )


def test_a_class_of_the_same_name_is_fine(lines):
    assert (
        lines(
            RULE,
            """
        from mine import SGD
        optimizer = SGD(net.parameters(), lr=0.1, momentum=0.5)
    """,
        )
        == []
    )


def test_a_momentum_that_a_cycle_sets_is_fine(lines):
    assert (
        lines(
            RULE,
            """
        import torch
        optimizer = torch.optim.SGD(net.parameters(), lr=0.1, momentum=0.5)
        scheduler = torch.optim.lr_scheduler.OneCycleLR(optimizer, 0.1, total_steps=100)
    """,
        )
        == []
    )
