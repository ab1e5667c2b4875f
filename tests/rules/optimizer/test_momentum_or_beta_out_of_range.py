"""Edge cases of momentum-or-beta-out-of-range."""

import pytest

RULE = "momentum-or-beta-out-of-range"


@pytest.mark.parametrize(
    "call",
    [
        "torch.optim.SGD(net.parameters(), lr=0.1, momentum=1.0)",
        "torch.optim.SGD(net.parameters(), lr=0.1, momentum=9)",
        "torch.optim.SGD(net.parameters(), 0.1, -0.9)",
        "torch.optim.SGD(net.parameters(), lr=0.1, nesterov=True)",
        "torch.optim.SGD(net.parameters(), lr=0.1, momentum=0, nesterov=True)",
        "torch.optim.RMSprop(net.parameters(), lr=0.1, momentum=1.5)",
        "torch.optim.RMSprop(net.parameters(), lr=0.1, alpha=1.0)",
        "torch.optim.Adam(net.parameters(), betas=(0.9, 1.0))",
        "torch.optim.Adam(net.parameters(), 1e-3, (1.0, 0.999))",
        "torch.optim.AdamW(net.parameters(), betas=[0.9, 999])",
        "torch.optim.NAdam(net.parameters(), betas=(-0.1, 0.999))",
    ],
)
def test_values_out_of_range_are_found(lines, call):
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
        from torch.optim import SGD
        MOMENTUM = 90 / 10
        optimizer = SGD(net.parameters(), lr=0.1, momentum=MOMENTUM)
    """,
    ) == [4]


def test_a_momentum_from_argparse_is_found(lines):
    assert lines(
        RULE,
        """
        import argparse
        import torch.optim as optim
        def main():
            parser = argparse.ArgumentParser()
            parser.add_argument("--momentum", type=float, default=9.0)
            args = parser.parse_args()
            return optim.SGD(net.parameters(), lr=0.1, momentum=args.momentum)
    """,
    ) == [8]


def test_betas_from_a_dataclass_are_found(lines):
    assert lines(
        RULE,
        """
        from dataclasses import dataclass
        import torch
        @dataclass
        class Config:
            beta1: float = 0.9
            beta2: float = 1.0
        config = Config()
        optimizer = torch.optim.Adam(net.parameters(), betas=(config.beta1, config.beta2))
    """,
    ) == [9]


def test_settings_in_a_known_dict_are_found(lines):
    assert lines(
        RULE,
        """
        import torch
        settings = {"lr": 0.1, "nesterov": True}
        optimizer = torch.optim.SGD(net.parameters(), **settings)
    """,
    ) == [4]


@pytest.mark.parametrize(
    "call",
    [
        "torch.optim.SGD(net.parameters(), lr=0.1)",
        "torch.optim.SGD(net.parameters(), lr=0.1, momentum=0)",
        "torch.optim.SGD(net.parameters(), lr=0.1, momentum=0.999)",
        "torch.optim.SGD(net.parameters(), 0.1, 0.9, nesterov=True)",
        "torch.optim.SGD(net.parameters(), lr=0.1, nesterov=False)",
        "torch.optim.Adam(net.parameters(), betas=(0.0, 0.9))",
        "torch.optim.Adam(net.parameters(), betas=(0.5, 0.9999))",
        "torch.optim.RMSprop(net.parameters(), lr=0.1, alpha=0.9)",
        "torch.optim.Adam(net.parameters(), betas=betas)",
        "torch.optim.SGD(net.parameters(), lr=0.1, momentum=args.momentum, nesterov=True)",
        "torch.optim.SGD(net.parameters(), lr=0.1, nesterov=True, **settings)",
        "torch.optim.SGD(net.parameters(), lr=0.1, nesterov=args.nesterov)",
    ],
)
def test_values_in_range_and_unknown_ones_are_fine(lines, call):
    assert (
        lines(
            RULE,
            f"""
        import torch
        optimizer = {call}
    """,
        )
        == []
    )


def test_the_momentum_of_batch_normalisation_is_another_thing(lines):
    assert (
        lines(
            RULE,
            """
        from torch import nn
        norm = nn.BatchNorm2d(8, momentum=1.0)
        other = nn.BatchNorm2d(8, momentum=None)
    """,
        )
        == []
    )


def test_an_optimizer_from_elsewhere_has_its_own_meaning(lines):
    assert (
        lines(
            RULE,
            """
        from mine import SGD
        optimizer = SGD(net.parameters(), lr=0.1, momentum=5)
    """,
        )
        == []
    )


def test_a_value_that_must_be_refused_in_a_test_is_fine(lines):
    assert (
        lines(
            RULE,
            """
        import pytest
        import torch
        def test_refused(net):
            with pytest.raises(ValueError, match="beta"):
                torch.optim.Adam(net.parameters(), betas=(0.9, 1.0))
    """,
        )
        == []
    )


def test_a_momentum_of_a_group_leaves_nesterov_alone(lines):
    assert (
        lines(
            RULE,
            """
        import torch
        groups = [{"params": net.parameters(), "momentum": 0.9}]
        optimizer = torch.optim.SGD(groups, lr=0.1, nesterov=True)
    """,
        )
        == []
    )


def test_a_momentum_that_warms_up_from_a_variable_is_not_guessed(lines):
    assert (
        lines(
            RULE,
            """
        import torch
        momentum = 0.0
        for stage in stages:
            momentum = stage.momentum
            optimizer = torch.optim.SGD(net.parameters(), lr=0.1, momentum=momentum, nesterov=True)
    """,
        )
        == []
    )
