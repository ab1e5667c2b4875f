"""Where groupnorm-indivisible speaks, and where it must not."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from trainlint.core.diagnosis import Diagnosis

Lines = Callable[..., list[int]]
Diagnoses = Callable[..., list[Diagnosis]]
HEAD = "import torch\nfrom torch import nn\nimport torch.nn.functional as F\n"

RULE = "groupnorm-indivisible"


@pytest.mark.parametrize(
    "made",
    [
        "nn.GroupNorm(8, 20)",
        "nn.GroupNorm(num_groups=8, num_channels=20)",
        "nn.GroupNorm(num_channels=20, num_groups=8, eps=1e-6)",
        "torch.nn.GroupNorm(32, 16)",
        "nn.GroupNorm(GROUPS, 2 * 10)",
    ],
)
def test_channels_that_are_no_multiple_are_found(lines: Lines, made: str) -> None:
    assert lines(RULE, f"{HEAD}GROUPS = 8\nnorm = {made}") == [5]


def test_what_a_module_is_built_with_is_followed(lines: Lines) -> None:
    source = """
class Block(nn.Module):
    def __init__(self, width, groups=32):
        super().__init__()
        self.norm = nn.GroupNorm(groups, width)
block = Block(48)
"""
    assert lines(RULE, HEAD + source) == [8]


@pytest.mark.parametrize(
    "made",
    [
        "nn.GroupNorm(8, 64)",
        "nn.GroupNorm(1, 7)",
        "nn.GroupNorm(min(32, width), width)",
        "nn.GroupNorm(32, width)",
        "nn.GroupNorm(*sizes)",
    ],
)
def test_what_divides_or_is_not_known_is_fine(lines: Lines, made: str) -> None:
    assert lines(RULE, f"{HEAD}norm = {made}") == []


def test_defaults_that_callers_may_change_are_not_guessed(lines: Lines) -> None:
    source = "def norm(width=20, groups=8):\n    return nn.GroupNorm(groups, width)\n"
    assert lines(RULE, HEAD + source) == []


def test_a_width_that_a_loop_changes_is_not_guessed(lines: Lines) -> None:
    source = """
width = 20
for _ in range(3):
    layers.append(nn.GroupNorm(8, width))
    width = width * 2
"""
    assert lines(RULE, HEAD + source) == []


def test_a_width_that_a_loop_is_over_is_not_guessed(lines: Lines) -> None:
    source = "norms = [nn.GroupNorm(8, width) for width in (20, 64)]\n"
    assert lines(RULE, HEAD + source) == []


def test_a_class_of_the_file_is_another_matter(lines: Lines) -> None:
    source = "class GroupNorm(nn.Module):\n    pass\nnorm = GroupNorm(8, 20)\n"
    assert lines(RULE, HEAD + source) == []


def test_a_test_that_expects_the_error_is_fine(lines: Lines) -> None:
    source = "import pytest\nwith pytest.raises(ValueError):\n    nn.GroupNorm(8, 20)\n"
    assert lines(RULE, HEAD + source) == []


def test_swapped_arguments_are_named(diagnoses: Diagnoses) -> None:
    (found,) = diagnoses(RULE, f"{HEAD}norm = nn.GroupNorm(64, 8)")
    assert "nn.GroupNorm(8, 64)" in found.remedy


def test_the_remedy_names_divisors_near_by(diagnoses: Diagnoses) -> None:
    (found,) = diagnoses(RULE, f"{HEAD}norm = nn.GroupNorm(8, 20)")
    assert "`num_groups=5` or `num_groups=10`" in found.remedy
