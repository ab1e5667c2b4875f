"""Where batchnorm-keras-momentum speaks, and where it must not."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from trainlint.core.diagnosis import Diagnosis
from trainlint.core.fix import apply_fixes

Lines = Callable[..., list[int]]
Diagnoses = Callable[..., list[Diagnosis]]
HEAD = "import torch\nfrom torch import nn\nimport torch.nn.functional as F\n"

RULE = "batchnorm-keras-momentum"


@pytest.mark.parametrize(
    "made",
    [
        "nn.BatchNorm2d(8, momentum=0.99)",
        "nn.BatchNorm1d(8, 1e-3, 0.9)",
        "torch.nn.SyncBatchNorm(8, momentum=0.997)",
        "nn.BatchNorm2d(8, **{'momentum': 0.99})",
    ],
)
def test_a_momentum_of_keras_is_found_however_it_is_passed(lines: Lines, made: str) -> None:
    assert lines(RULE, f"{HEAD}norm = {made}") == [4]


def test_a_constant_of_the_module_is_followed(lines: Lines) -> None:
    source = "BN_MOMENTUM = 0.99\nclass N(nn.Module):\n    def __init__(self):\n        self.bn = nn.BatchNorm2d(8, momentum=BN_MOMENTUM)\n"
    assert lines(RULE, HEAD + source) == [7]


def test_an_option_is_followed_to_its_default(lines: Lines) -> None:
    source = """
import argparse
parser = argparse.ArgumentParser()
parser.add_argument("--bn-momentum", type=float, default=0.95)
args = parser.parse_args()
norm = nn.BatchNorm2d(8, momentum=args.bn_momentum)
"""
    assert lines(RULE, HEAD + source) == [9]


def test_a_partial_is_found(lines: Lines) -> None:
    source = "from functools import partial\nnorm_layer = partial(nn.BatchNorm2d, eps=1e-3, momentum=0.99)\n"
    assert lines(RULE, HEAD + source) == [5]


@pytest.mark.parametrize("momentum", ["0.1", "0.01", "1.0", "None", "1 - 0.99", "unknown"])
def test_what_is_no_momentum_of_keras_is_fine(lines: Lines, momentum: str) -> None:
    assert lines(RULE, f"{HEAD}norm = nn.BatchNorm2d(8, momentum={momentum})") == []


def test_the_momentum_of_an_optimizer_is_another_matter(lines: Lines) -> None:
    source = (
        "net = nn.Linear(1, 1)\noptimizer = torch.optim.SGD(net.parameters(), 0.1, momentum=0.9)\n"
    )
    assert lines(RULE, HEAD + source) == []


def test_a_batch_normalisation_of_keras_is_another_matter(lines: Lines) -> None:
    source = (
        "from keras.layers import BatchNormalization\nnorm = BatchNormalization(momentum=0.99)\n"
    )
    assert lines(RULE, source) == []


def test_tests_are_left_alone(lines: Lines) -> None:
    source = f"{HEAD}norm = nn.BatchNorm2d(8, momentum=0.9)"
    assert lines(RULE, source, path="test_norm.py") == []


def test_the_limit_can_be_set(lines: Lines) -> None:
    source = f"{HEAD}norm = nn.BatchNorm2d(8, momentum=0.6)"
    assert lines(RULE, source, limit=0.5) == [4]


def test_the_fix_counts_the_other_way_round(diagnoses: Diagnoses) -> None:
    source = f"{HEAD}norm = nn.BatchNorm2d(8, 1e-3, 0.997)\n"
    (found,) = diagnoses(RULE, source)
    assert found.fix is not None
    assert apply_fixes(source, [found.fix])[0].endswith("nn.BatchNorm2d(8, 1e-3, 0.003)\n")


def test_a_constant_is_not_fixed_since_others_may_read_it(diagnoses: Diagnoses) -> None:
    source = f"{HEAD}M = 0.99\nnorm = nn.BatchNorm2d(8, momentum=M)\n"
    (found,) = diagnoses(RULE, source)
    assert found.fix is None
    assert "`M` (0.99)" in found.message
