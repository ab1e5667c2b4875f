"""Where data-parallel speaks, and where it must not."""

from __future__ import annotations

from collections.abc import Callable

import pytest

Lines = Callable[..., list[int]]
RULE = "data-parallel"
HEAD = "import torch\nfrom torch import nn\n"
TRAINS = "\noptimizer = torch.optim.SGD(net.parameters(), lr=0.1)\n"


@pytest.mark.parametrize(
    "made",
    [
        "nn.DataParallel(build())",
        "torch.nn.DataParallel(build(), device_ids=[0, 1]).cuda()",
        "torch.nn.parallel.DataParallel(build())",
        "nn.DataParallel(build()) if torch.cuda.device_count() > 1 else build()",
    ],
)
def test_every_spelling_is_found(lines: Lines, made: str) -> None:
    assert lines(RULE, f"{HEAD}net = {made}{TRAINS}") == [3]


def test_an_import_by_another_name_is_found(lines: Lines) -> None:
    source = f"{HEAD}from torch.nn import DataParallel as DP\nnet = DP(build()){TRAINS}"
    assert lines(RULE, source) == [4]


def test_a_loop_shows_that_the_file_trains(lines: Lines) -> None:
    source = f"{HEAD}def fit(net):\n    net = nn.DataParallel(net)\n    net(x).sum().backward()\n"
    assert lines(RULE, source) == [4]


def test_a_part_of_a_model_is_found(lines: Lines) -> None:
    source = f"{HEAD}net.features = nn.DataParallel(net.features){TRAINS}"
    assert lines(RULE, source) == [3]


def test_evaluation_is_fine(lines: Lines) -> None:
    source = (
        f"{HEAD}net = nn.DataParallel(build())\nnet.eval()\nwith torch.no_grad():\n    net(x)\n"
    )
    assert lines(RULE, source) == []


def test_asking_for_the_class_is_fine(lines: Lines) -> None:
    source = (
        f"{HEAD}net = build()\nif isinstance(net, nn.DataParallel):\n    net = net.module{TRAINS}"
    )
    assert lines(RULE, source) == []


def test_a_process_for_each_gpu_is_fine(lines: Lines) -> None:
    source = f"{HEAD}net = nn.parallel.DistributedDataParallel(build()){TRAINS}"
    assert lines(RULE, source) == []


def test_a_class_of_another_package_is_another_matter(lines: Lines) -> None:
    source = f"{HEAD}from graphs import DataParallel\nnet = DataParallel(build()){TRAINS}"
    assert lines(RULE, source) == []


def test_tests_are_left_alone(lines: Lines) -> None:
    assert lines(RULE, f"{HEAD}net = nn.DataParallel(build()){TRAINS}", path="test_dp.py") == []
