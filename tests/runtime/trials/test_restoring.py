"""What a search has tried leaves no trace: in the model, beside it, in the loader, in its workers."""

from __future__ import annotations

import random
import signal
import threading
from collections import deque

import pytest
import torch
from torch import nn
from torch.utils.data import (
    BatchSampler,
    DataLoader,
    Dataset,
    IterableDataset,
    RandomSampler,
    TensorDataset,
    WeightedRandomSampler,
)

import trainlint
from trainlint.runtime.trials.loader_places import loader_restored

numpy = pytest.importorskip("numpy")


def rows(count=32):
    return TensorDataset(torch.randn(count, 4), torch.randn(count, 2))


def search(kind, model, optimizer, loss, loader):
    if kind == "lr":
        trainlint.find_lr(model, optimizer, loss, loader, steps=10, progress=False)
    else:
        trainlint.find_batch_size(model, optimizer, loss, loader, pairs=2, limit=16, progress=False)


class Counting(nn.Module):
    """Keeps in attributes, and not in buffers, what it has seen."""

    def __init__(self) -> None:
        super().__init__()
        self.fc = nn.Linear(4, 2)
        self.calls, self.mean = 0, torch.zeros(2)
        self.seen: list[int] = []
        self.by_name, self.recent = {"first": 0}, deque([0], maxlen=3)
        self.sizes: set[int] = set()

    def forward(self, x):
        out = self.fc(x)
        self.calls += 1
        self.mean += out.detach().mean(0)
        self.seen.append(len(x))
        self.by_name["last"] = self.calls
        self.recent.append(self.calls)
        self.sizes.add(len(x))
        self.cached = out
        return out


@pytest.mark.parametrize("kind", ["lr", "batch-size"])
def test_what_a_model_keeps_in_attributes_is_given_back(kind):
    model = Counting()
    mean, seen = model.mean, model.seen
    search(kind, model, torch.optim.SGD(model.parameters(), 0.1), "mse", DataLoader(rows(), 8))
    assert model.calls == 0
    assert model.mean is mean
    assert mean.tolist() == [0, 0]
    assert model.seen is seen
    assert (seen, model.by_name, [*model.recent], model.sizes) == ([], {"first": 0}, [0], set())
    assert not hasattr(model, "cached")


def test_what_a_wrapper_of_torch_sets_up_once_stays(monkeypatch):
    model = Counting()
    monkeypatch.setattr(Counting, "__module__", "torch.distributed.fsdp")
    search("lr", model, torch.optim.SGD(model.parameters(), 0.1), "mse", DataLoader(rows(), 8))
    assert model.calls > 0
    assert hasattr(model, "cached")


def test_a_tensor_of_a_graph_beside_the_model_is_not_written_to():
    model = Counting()
    model.kept = model.fc(torch.ones(1, 4)).sigmoid()
    version = model.kept._version
    search("lr", model, torch.optim.SGD(model.parameters(), 0.1), "mse", DataLoader(rows(), 8))
    assert model.kept._version == version


class Learned(nn.Module):
    """A loss that learns a scale, and averages."""

    def __init__(self) -> None:
        super().__init__()
        self.scale, self.norm = nn.Parameter(torch.ones(2)), nn.BatchNorm1d(2)

    def forward(self, output, target):
        return (self.norm(output * self.scale) - target).square().mean()


@pytest.mark.parametrize("kind", ["lr", "batch-size"])
def test_what_is_trained_beside_the_model_is_given_back(kind):
    model, head, loss = nn.Linear(4, 2), nn.Linear(2, 2), Learned()
    model.register_forward_hook(lambda _, __, out: head(out))
    parts = nn.ModuleList([model, head, loss])
    optimizer = torch.optim.Adam(parts.parameters(), 0.1)
    before = {key: one.clone() for key, one in parts.state_dict().items()}
    search(kind, model, optimizer, loss, DataLoader(rows(), 8))
    assert all(torch.equal(one, before[key]) for key, one in parts.state_dict().items())
    assert all(one.grad is None for one in parts.parameters())
    assert not optimizer.state


class Augmented(Dataset):
    """Draws from generators of its own."""

    def __init__(self) -> None:
        self.torch, self.python = torch.Generator().manual_seed(1), random.Random(1)  # noqa: S311
        self.new, self.old = numpy.random.default_rng(1), numpy.random.RandomState(1)
        self.reads = 0

    def __len__(self) -> int:
        return 32

    def __getitem__(self, at):
        self.reads += 1
        drawn = torch.rand(1, generator=self.torch).item(), self.python.random()
        return torch.tensor([*drawn, self.new.random(), self.old.rand()]).float(), torch.zeros(2)


class Placed(IterableDataset):
    """Knows its place, and is put there."""

    def __init__(self) -> None:
        self.at, self.place = 3, {"at": 3}

    def __iter__(self):
        while self.place["at"] < 40:
            self.place["at"] += 1
            yield torch.randn(4), torch.randn(2)
        self.place["at"] = 0

    def state_dict(self):
        return self.place

    def load_state_dict(self, state):
        self.place = state


def seeds(seed):
    return torch.Generator().manual_seed(seed)


LOADERS = {
    "sampler": lambda data: DataLoader(
        data, 8, sampler=WeightedRandomSampler([1.0] * 32, 32, generator=seeds(2))
    ),
    "sampler of batches": lambda data: DataLoader(
        data, batch_sampler=BatchSampler(RandomSampler(data, generator=seeds(2)), 8, drop_last=True)
    ),
    "subset": lambda data: DataLoader(
        torch.utils.data.Subset(Augmented(), range(len(data))), 8, shuffle=True
    ),
    "several": lambda _: DataLoader(Augmented() + Augmented(), 8, generator=seeds(2), shuffle=True),
    "place": lambda _: DataLoader(Placed(), 8),
}


@pytest.mark.parametrize("kind", LOADERS)
def test_a_loader_gives_the_same_batches_again(kind):
    loader = LOADERS[kind](rows())
    torch.manual_seed(5)
    with loader_restored(loader):
        expected = [one for one, _ in loader]
    model = nn.Linear(4, 2)
    search("lr", model, torch.optim.SGD(model.parameters(), 0.1), "mse", loader)
    torch.manual_seed(5)
    assert all(torch.equal(one, was) for (one, _), was in zip(loader, expected, strict=True))


class Drawn(Dataset):
    """Draws in the workers."""

    def __len__(self) -> int:
        return 16

    def __getitem__(self, at):
        return torch.rand(4), torch.zeros(2)


def test_workers_that_persist_are_the_loader_s_own_again():
    loader = DataLoader(Drawn(), 8, num_workers=1, persistent_workers=True)
    model = nn.Linear(4, 2)
    given = model, torch.optim.SGD(model.parameters(), 0.1), "mse", loader
    search("batch-size", *given)
    assert not loader._iterator
    first = iter(loader)
    assert loader._iterator is first
    search("batch-size", *given)
    assert loader._iterator is first
    assert len(list(first)) == 2
    loader._iterator = None  # so that its workers end here


def test_ctrl_c_in_the_middle_gives_everything_back(capsys):
    model = Counting()
    optimizer = torch.optim.Adam(model.parameters())
    weight, calls = model.fc.weight.detach().clone(), []

    def loss(output, target):
        calls.append(1)
        if len(calls) == 12:
            signal.raise_signal(signal.SIGINT)
        return nn.functional.mse_loss(output, target)

    if threading.current_thread() is not threading.main_thread():
        pytest.skip("signals come to the main thread only")
    handler = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with pytest.raises(KeyboardInterrupt):
            trainlint.find_lr(
                model, optimizer, loss, DataLoader(rows(), 8), steps=20, progress=True
            )
    finally:
        signal.signal(signal.SIGINT, handler)
    assert torch.equal(model.fc.weight, weight)
    assert not optimizer.state
    assert model.calls == 0
    assert capsys.readouterr().err.endswith("\n")  # the bar has left its line
