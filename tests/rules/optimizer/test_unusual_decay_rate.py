"""Edge cases of unusual-decay-rate."""

import pytest

RULE = "unusual-decay-rate"


@pytest.mark.parametrize(
    "call",
    [
        "torch.optim.RMSprop(net.parameters(), lr=1e-3, alpha=0.5)",
        "torch.optim.RMSprop(net.parameters(), 1e-3, 0.9999)",
        "torch.optim.Adam(net.parameters(), betas=(0.9, 0.5))",
        "torch.optim.Adam(net.parameters(), 1e-3, (0.3, 0.999))",
        "torch.optim.AdamW(net.parameters(), betas=(0.99, 0.99999))",
        "torch.optim.NAdam(net.parameters(), betas=(0.1, 0.999))",
    ],
)
def test_a_rate_far_from_the_usual_ones_is_found(lines, call):
    assert lines(
        RULE,
        f"""
        import torch
        optimizer = {call}
    """,
    ) == [3]


def test_the_rates_of_an_adversarial_network_for_a_single_one_are_found(lines):
    assert lines(
        RULE,
        """
        import torch
        optimizer = torch.optim.Adam(net.parameters(), lr=1e-3, betas=(0.5, 0.999))
    """,
    ) == [3]


def test_rates_in_constants_are_found(lines):
    assert lines(
        RULE,
        """
        from torch.optim import RMSprop
        ALPHA = 0.2
        optimizer = RMSprop(net.parameters(), alpha=ALPHA)
    """,
    ) == [4]


def test_rates_from_argparse_are_found(lines):
    assert lines(
        RULE,
        """
        import argparse
        import torch
        parser = argparse.ArgumentParser()
        parser.add_argument("--beta1", type=float, default=0.2)
        args = parser.parse_args()
        optimizer = torch.optim.Adam(net.parameters(), betas=(args.beta1, 0.999))
    """,
    ) == [7]


@pytest.mark.parametrize(
    "call",
    [
        "torch.optim.RMSprop(net.parameters(), lr=1e-3)",
        "torch.optim.RMSprop(net.parameters(), lr=1e-3, alpha=0.9)",
        "torch.optim.RMSprop(net.parameters(), lr=1e-3, alpha=0.95)",
        "torch.optim.RMSprop(net.parameters(), lr=1e-3, alpha=0.99)",
        "torch.optim.Adam(net.parameters())",
        "torch.optim.Adam(net.parameters(), betas=(0.9, 0.999))",
        "torch.optim.AdamW(net.parameters(), betas=(0.9, 0.95))",
        "torch.optim.Adam(net.parameters(), betas=(0.9, 0.98), eps=1e-9)",
        "torch.optim.Adam(net.parameters(), betas=(0.937, 0.999))",
        "torch.optim.Adam(net.parameters(), betas=betas)",
        "torch.optim.Adam(net.parameters(), betas=(beta1, 0.999))",
    ],
)
def test_usual_and_unknown_rates_are_fine(lines, call):
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


def test_the_two_networks_of_an_adversarial_pair_are_fine(lines):
    assert (
        lines(
            RULE,
            """
        import torch
        opt_g = torch.optim.Adam(generator.parameters(), lr=2e-4, betas=(0.5, 0.999))
        opt_d = torch.optim.Adam(discriminator.parameters(), lr=2e-4, betas=(0.0, 0.9))
    """,
        )
        == []
    )


def test_swapped_betas_belong_to_another_rule(lines):
    assert (
        lines(
            RULE,
            """
        import torch
        optimizer = torch.optim.Adam(net.parameters(), betas=(0.999, 0.9))
    """,
        )
        == []
    )


def test_betas_out_of_range_belong_to_another_rule(lines):
    assert (
        lines(
            RULE,
            """
        import torch
        a = torch.optim.Adam(net.parameters(), betas=(0.9, 1.0))
        b = torch.optim.RMSprop(net.parameters(), alpha=1.5)
    """,
        )
        == []
    )


def test_the_alpha_of_something_else_is_fine(lines):
    assert (
        lines(
            RULE,
            """
        from torch import nn
        act = nn.ELU(alpha=0.5)
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
        optimizer = torch.optim.Adam([target], lr=3e-3, betas=[0.5, 0.999])
    """,
        )
        == []
    )


def test_an_optimizer_from_elsewhere_has_its_own_rates(lines):
    assert (
        lines(
            RULE,
            """
        from lion_pytorch import Lion
        optimizer = Lion(net.parameters(), betas=(0.5, 0.6))
    """,
        )
        == []
    )


def test_rates_in_an_unknown_dict_are_not_guessed(lines):
    assert (
        lines(
            RULE,
            """
        import torch
        def make(net, settings):
            return torch.optim.Adam(net.parameters(), **settings)
    """,
        )
        == []
    )
