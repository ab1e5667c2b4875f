"""Edge cases of swapped-betas."""

import pytest

RULE = "swapped-betas"


@pytest.mark.parametrize(
    "call",
    [
        "torch.optim.Adam(net.parameters(), betas=(0.999, 0.9))",
        "torch.optim.AdamW(net.parameters(), lr=3e-4, betas=(0.95, 0.9))",
        "torch.optim.Adam(net.parameters(), 1e-3, (0.999, 0.5))",
        "torch.optim.RAdam(net.parameters(), betas=[0.999, 0.9])",
        "torch.optim.Adamax(net.parameters(), betas=(0.99, 0.9))",
    ],
)
def test_a_first_beta_over_the_second_is_found(lines, call):
    assert lines(
        RULE,
        f"""
        import torch
        optimizer = {call}
    """,
    ) == [3]


def test_betas_in_constants_are_found(lines):
    assert lines(
        RULE,
        """
        from torch.optim import Adam
        BETA1, BETA2 = 0.999, 0.9
        optimizer = Adam(net.parameters(), lr=1e-3, betas=(BETA1, BETA2))
    """,
    ) == [4]


def test_betas_from_argparse_are_found(lines):
    assert lines(
        RULE,
        """
        import argparse
        import torch
        parser = argparse.ArgumentParser()
        parser.add_argument("--b1", type=float, default=0.999)
        parser.add_argument("--b2", type=float, default=0.9)
        opt = parser.parse_args()
        optimizer_G = torch.optim.Adam(generator.parameters(), lr=1e-4, betas=(opt.b1, opt.b2))
    """,
    ) == [8]


def test_betas_in_a_known_dict_are_found(lines):
    assert lines(
        RULE,
        """
        import torch
        settings = {"lr": 1e-3, "betas": (0.999, 0.9)}
        optimizer = torch.optim.Adam(net.parameters(), **settings)
    """,
    ) == [4]


def test_only_literals_at_the_place_are_mended(diagnoses):
    (one,) = diagnoses(
        RULE,
        """
        import torch
        optimizer = torch.optim.Adam(net.parameters(), betas=(0.999, 0.9))
    """,
    )
    assert one.fix is not None
    assert [edit.replacement for edit in one.fix.edits] == ["(0.9, 0.999)"]
    (other,) = diagnoses(
        RULE,
        """
        import torch
        b1, b2 = 0.999, 0.9
        optimizer = torch.optim.Adam(net.parameters(), betas=(b1, b2))
    """,
    )
    assert other.fix is None


@pytest.mark.parametrize(
    "betas",
    [
        "(0.9, 0.999)",
        "(0.9, 0.95)",
        "(0.5, 0.999)",
        "(0.0, 0.9)",
        "(0.9, 0.9)",
        "(0.95, 0.95)",
        "(0.9, 0.85)",
        "(momentum, 0.999)",
        "(0.999, beta2)",
        "betas",
    ],
)
def test_usual_and_unknown_betas_are_fine(lines, betas):
    assert (
        lines(
            RULE,
            f"""
        import torch
        optimizer = torch.optim.Adam(net.parameters(), betas={betas})
    """,
        )
        == []
    )


def test_an_optimizer_from_elsewhere_has_its_own_betas(lines):
    assert (
        lines(
            RULE,
            """
        from lion_pytorch import Lion
        from mine import Adam
        a = Lion(net.parameters(), lr=1e-4, betas=(0.99, 0.9))
        b = Adam(net.parameters(), betas=(0.999, 0.9))
    """,
        )
        == []
    )


def test_betas_of_something_else_are_fine(lines):
    assert (
        lines(
            RULE,
            """
        schedule = NoiseSchedule(betas=(0.999, 0.9))
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
        optimizer = torch.optim.Adam(net.parameters(), betas=(1.0, 0.9))
    """,
        )
        == []
    )
