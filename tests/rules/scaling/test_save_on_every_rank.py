"""Where save-on-every-rank speaks, and where it must not."""

from __future__ import annotations

from collections.abc import Callable

import pytest

Lines = Callable[..., list[int]]
RULE = "save-on-every-rank"
SCRIPT = """
import argparse
import io
import torch
import torch.distributed as dist
from torch.nn.parallel import DistributedDataParallel as DDP
parser = argparse.ArgumentParser()
parser.add_argument("--save-model", action="store_true")
args = parser.parse_args()
def main(rank):
    dist.init_process_group("nccl")
    net = DDP(build().to(rank))
    for epoch in range(10):
        loss = train(net)
        SAVE
def write(state, path="last.pt"):
    torch.save(state, path)
"""


def script(save: str) -> str:
    """Return the script with a statement that saves, and the same indentation in each line."""
    return SCRIPT.replace("SAVE", save.replace("\n", "\n        "))


@pytest.mark.parametrize(
    "save",
    [
        "torch.save(net.module.state_dict(), 'net.pt')",
        "torch.save({'epoch': epoch, 'net': net.state_dict()}, f'net_{epoch}.pt')",
        "if epoch % 5 == 0:\n    torch.save(net.state_dict(), 'net.pt')",
        "if loss < best:\n    torch.save(net.state_dict(), 'net.pt')",
        "if args.save_model:\n    torch.save(net.state_dict(), 'net.pt')",
        "if epoch % 5 == 0 and not args.save_model:\n    torch.save(net.state_dict(), 'net.pt')",
        "write(net.state_dict())",
        "with open('net.pt', 'wb') as file:\n    torch.save(net.state_dict(), file)",
    ],
)
def test_a_save_in_every_process_is_found(lines: Lines, save: str) -> None:
    assert len(lines(RULE, script(save))) == 1


@pytest.mark.parametrize(
    "save",
    [
        "if rank == 0:\n    torch.save(net.state_dict(), 'net.pt')",
        "if dist.get_rank() == 0 and epoch % 5 == 0:\n    torch.save(net.state_dict(), 'net.pt')",
        "if rank != 0:\n    continue\ntorch.save(net.state_dict(), 'net.pt')",
        "if is_main_process():\n    torch.save(net.state_dict(), 'net.pt')",
        "if saves:\n    torch.save(net.state_dict(), 'net.pt')",
        "if not rank:\n    write(net.state_dict())",
        "first = rank == 0\nif first:\n    torch.save(net.state_dict(), 'net.pt')",
        "torch.save(net.state_dict(), f'net_{rank}.pt')",
        "torch.save(net.state_dict(), io.BytesIO())",
        "buffer = io.BytesIO()\ntorch.save(net.state_dict(), buffer)",
        "path = f'{dist.get_rank()}.pt'\ntorch.save(net.state_dict(), path)",
        "if i == 0:\n    torch.save(net.state_dict(), 'net.pt')",
        "if not args.standalone:\n    pass\nelse:\n    torch.save(net.state_dict(), 'net.pt')",
    ],
)
def test_one_process_or_a_file_for_each_is_fine(lines: Lines, save: str) -> None:
    assert lines(RULE, script(save)) == []


def test_a_trainer_is_followed_to_its_loop(lines: Lines) -> None:
    source = """
    import torch
    from torch.nn.parallel import DistributedDataParallel as DDP
    class Trainer:
        def __init__(self, model, gpu):
            self.model = DDP(model)
            self.gpu = gpu
        def save(self):
            torch.save(self.model.module.state_dict(), "c.pt")
        def fit(self, loader):
            for x in loader:
                self.model(x).backward()
                self.optimizer.step()
            self.save()
    """
    assert lines(RULE, source) == [9]
    guarded = source.replace("self.save()", "if self.gpu == 0: self.save()")
    assert lines(RULE, guarded) == []


def test_a_decorator_that_lets_one_process_in_is_fine(lines: Lines) -> None:
    source = script("write(net.state_dict())").replace("def write", "@rank_zero_only\ndef write")
    assert lines(RULE, source) == []


def test_a_function_that_only_others_call_is_not_judged(lines: Lines) -> None:
    assert lines(RULE, script("pass")) == []


def test_sharded_trainings_are_not_judged(lines: Lines) -> None:
    source = script("torch.save(net.state_dict(), 'net.pt')")
    assert lines(RULE, source + "from torch.distributed.fsdp import fully_shard\n") == []


def test_a_training_in_one_process_is_fine(lines: Lines) -> None:
    source = script("torch.save(net.state_dict(), 'net.pt')")
    source = source.replace("DDP(", "id(").replace("dist.init_process_group", "print")
    assert lines(RULE, source) == []


def test_tests_are_left_alone(lines: Lines) -> None:
    assert lines(RULE, script("torch.save(net, 'net.pt')"), path="test_save.py") == []
