"""Where ddp-loader-without-sampler speaks, and where it must not."""

from __future__ import annotations

from collections.abc import Callable

import pytest

Lines = Callable[..., list[int]]
RULE = "ddp-loader-without-sampler"
SCRIPT = """
import torch
import torch.distributed as dist
from torch.nn.parallel import DistributedDataParallel as DDP
from torch.utils.data import DataLoader, DistributedSampler
from torchvision import datasets
def main(rank, world_size):
    dist.init_process_group("nccl", rank=rank, world_size=world_size)
    train_set = datasets.CIFAR10("data", train=True, transform=tfm)
    train_loader = DataLoader(train_set, batch_size=32, shuffle=True)
    net = DDP(build().to(rank), device_ids=[rank])
    for x, y in train_loader:
        optimizer.zero_grad()
        criterion(net(x), y).backward()
        optimizer.step()
"""


def test_a_script_is_found(lines: Lines) -> None:
    assert lines(RULE, SCRIPT) == [10]


def test_a_sampler_that_is_none_is_no_sampler(lines: Lines) -> None:
    assert lines(RULE, SCRIPT.replace("shuffle=True", "shuffle=True, sampler=None")) == [10]


def test_a_trainer_class_and_a_helper_are_followed(lines: Lines) -> None:
    source = """
    import torch
    from torch.nn.parallel import DistributedDataParallel
    from torch.utils.data import DataLoader, Dataset
    class Pairs(Dataset):
        def __init__(self, root):
            self.paths = list(root.glob("*"))
        def __len__(self):
            return len(self.paths)
        def __getitem__(self, index):
            return load(self.paths[index])
    def make_train_loader(root):
        train_set = Pairs(root)
        return DataLoader(train_set, batch_size=32, shuffle=True)
    class Trainer:
        def __init__(self, model, optimizer):
            self.model = DistributedDataParallel(model)
            self.optimizer = optimizer
        def fit(self, root):
            for x, y in make_train_loader(root):
                self.optimizer.zero_grad()
                self.model(x, y).backward()
                self.optimizer.step()
    """
    assert lines(RULE, source) == [14]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("shuffle=True", "sampler=DistributedSampler(train_set)"),
        ("shuffle=True", "batch_sampler=batches"),
        ("shuffle=True", "shuffle=sampler is None, sampler=sampler"),
        ("shuffle=True", "shuffle=True, **extra"),
        ('datasets.CIFAR10("data", train=True,', 'Shard("data", rank=rank,'),
        (
            "transform=tfm)",
            "transform=tfm)\n    train_set = Subset(train_set, range(rank, 10, world_size))",
        ),
        ("datasets.CIFAR10(", "stream("),
        ("    train_loader = ", "    if world_size == 1:\n        train_loader = "),
        ("    net = DDP", "    train_loader = accelerator.prepare(train_loader)\n    net = DDP"),
        (
            "    net = DDP",
            "    train_loader = fabric.setup_dataloaders(train_loader)\n    net = DDP",
        ),
        ("train_loader", "test_loader"),
        ("DDP(", "other("),
    ],
)
def test_divided_data_and_unknown_data_are_fine(lines: Lines, old: str, new: str) -> None:
    assert old in SCRIPT
    assert lines(RULE, SCRIPT.replace(old, new)) == []


def test_a_set_that_makes_its_examples_up_is_fine(lines: Lines) -> None:
    source = SCRIPT.replace(
        'datasets.CIFAR10("data", train=True, transform=tfm)',
        "torch.utils.data.TensorDataset(torch.randn(100, 3))",
    )
    assert lines(RULE, source) == []


def test_tests_are_left_alone(lines: Lines) -> None:
    assert lines(RULE, SCRIPT, path="test_ddp.py") == []


def test_a_loader_of_another_process_is_fine(lines: Lines) -> None:
    source = SCRIPT.replace(
        "    train_loader =", "    if rank != 0:\n        return\n    train_loader ="
    )
    assert lines(RULE, source) == []
