"""What a search has tried leaves no trace: in the model, beside it, in the loader, in its workers."""

from __future__ import annotations

import copy
import random
import signal
import threading
from collections import Counter, deque

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


class Constrained(nn.Linear):
    """Keeps its rows short, as layers for recordings of the brain do."""

    def forward(self, x):
        self.weight.data = torch.renorm(self.weight.data, 2, 0, 0.3)
        return super().forward(x)


class Averaging(nn.Module):
    """Puts a new parameter, a new layer and a new buffer in the place of those of before."""

    def __init__(self) -> None:
        super().__init__()
        self.fc = nn.Linear(4, 2)
        self.head: nn.Linear | None = None
        self.book = nn.Parameter(torch.randn(2))

    def forward(self, x):
        if self.head is None:
            self.head = nn.Linear(2, 2)
        self.book = nn.Parameter(0.9 * self.book.detach())
        self.register_buffer("last", x.detach().mean(), persistent=False)
        return self.head(self.fc(x)) + self.book.detach()


class Drawing(nn.Module):
    """Has sources of chance of its own, and keeps what it has seen deep inside."""

    def __init__(self) -> None:
        super().__init__()
        self.fc = nn.Linear(4, 2)
        self.torch = torch.Generator()
        self.python = random.Random(0)  # noqa: S311 - a model's noise
        self.numpy = numpy.random.default_rng(0)
        self.counts, self.nested, self.array = Counter(a=1), {"seen": [0]}, numpy.zeros(2)

    def forward(self, x):
        noise = torch.rand(1, generator=self.torch) + self.python.random() + self.numpy.random()
        self.counts["a"] += 1
        self.nested["seen"].append(len(x))
        self.array += 1
        return self.fc(x) + noise.float()

    def seen(self):
        places = (self.torch.get_state().tolist(), self.python.getstate())
        inside = (dict(self.counts), self.nested, self.array.tolist())
        return repr((*places, self.numpy.bit_generator.state, *inside))


class Shared(nn.Module):
    """Has a mask that is expanded and a cache that was made for inference."""

    mask: torch.Tensor
    cache: torch.Tensor

    def __init__(self) -> None:
        super().__init__()
        self.fc = nn.Linear(4, 2)
        self.register_buffer("mask", torch.ones(1, 4).expand(8, 4))
        with torch.inference_mode():
            self.register_buffer("cache", torch.ones(2))
        self.kept = torch.zeros(3)

    def forward(self, x):
        self.kept.resize_(5)
        return self.fc(x * self.mask[:1]) * self.cache.clone()


def looked_at(model):
    """Return all that a search might have changed in a model, as text that can be compared."""
    tensors = [
        (name, id(one), one.tolist()) for name, one in model.state_dict(keep_vars=True).items()
    ]
    parts = [(name, id(one), one.training) for name, one in model.named_modules()]
    names = [sorted(one._non_persistent_buffers_set) for one in model.modules()]
    own = [one.seen() for one in model.modules() if hasattr(one, "seen")]
    kept = [tuple(one.kept.shape) for one in model.modules() if hasattr(one, "kept")]
    return tensors, parts, names, own, kept


@pytest.mark.parametrize("kind", ["probe", "lr", "batch size"])
@pytest.mark.parametrize(
    "make",
    [
        lambda: nn.Sequential(Constrained(4, 8), nn.Linear(8, 2)),
        lambda: nn.Sequential(nn.Linear(4, 4), Averaging()),
        Drawing,
        Shared,
        lambda: nn.Sequential(nn.utils.spectral_norm(nn.Linear(4, 2))),
    ],
)
def test_a_model_that_writes_to_itself_is_given_back(make, kind):
    torch.manual_seed(0)
    model = make().eval()
    before = looked_at(model)
    if kind == "probe":
        batch = (torch.randn(8, 4), torch.randn(8, 2))
        trainlint.probe(model, batch, "mse", remedy=True)
    else:
        optimizer = torch.optim.SGD(model.parameters(), 0.1)
        search(kind, model, optimizer, "mse", DataLoader(rows(), 8))
    assert looked_at(model) == before
    copy.deepcopy(model)  # no graph is left on it


def test_a_bounded_embedding_is_as_it_was_after_a_probe():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Embedding(9, 4, max_norm=0.1), nn.Flatten(), nn.Linear(8, 2))
    before = looked_at(model)
    trainlint.probe(model, (torch.randint(9, (8, 2)), torch.randn(8, 2)), "mse", remedy=False)
    assert looked_at(model) == before


@pytest.mark.parametrize("kind", ["probe", "lr"])
@pytest.mark.parametrize("is_method", [False, True])
def test_a_loss_with_a_state_is_given_back(kind, is_method):
    class Scaled(nn.Module):
        def __init__(self):
            super().__init__()
            self.scale, self.calls = nn.Parameter(torch.ones(1)), 0

        def forward(self, output, target):
            self.calls += 1
            return (self.scale * (output - target)).square().mean()

    loss, model = Scaled(), nn.Linear(4, 2)
    given = loss.forward if is_method else loss
    if kind == "probe":
        trainlint.probe(model, (torch.randn(8, 4), torch.randn(8, 2)), given)
    else:
        search("lr", model, torch.optim.SGD(model.parameters(), 0.1), given, DataLoader(rows(), 8))
    assert loss.calls == 0
    assert loss.scale.grad is None


def test_a_loader_is_where_it_was_after_a_probe_of_its_first_batch():
    generator = torch.Generator()
    data = rows()
    loader = DataLoader(data, 8, sampler=RandomSampler(data, generator=generator))
    before = generator.get_state()
    trainlint.probe(nn.Linear(4, 2), loader, "mse")
    assert torch.equal(generator.get_state(), before)


def test_the_batches_of_the_user_are_as_they_were():
    class Halving(nn.Linear):
        def forward(self, x):
            return super().forward(x.mul_(0.5))

    batches = [(torch.ones(8, 4), torch.zeros(8, 2)) for _ in range(3)]
    model = Halving(4, 2)
    search("lr", model, torch.optim.SGD(model.parameters(), 0.1), "mse", batches)
    assert all(bool((x == 1).all()) for x, _ in batches)


def test_what_an_optimizer_keeps_beside_its_state_is_given_back():
    class Lookahead(torch.optim.SGD):
        def __init__(self, *args):
            super().__init__(*args)
            self.slow, self.told = [torch.zeros(1)], {"steps": 0}

        def step(self, closure=None):
            self.slow[0] += 1
            self.told["steps"] += 1
            return super().step(closure)

    model = nn.Linear(4, 2)
    optimizer = Lookahead(model.parameters(), 0.1)
    search("lr", model, optimizer, "mse", DataLoader(rows(), 8))
    assert (optimizer.slow[0].item(), optimizer.told) == (0, {"steps": 0})


def test_a_data_set_may_have_a_class_for_a_transform():
    class Rows(TensorDataset):
        transform, target_transform = numpy.float32, nn.Identity

    data = Rows(torch.randn(16, 4), torch.randn(16, 2))
    with loader_restored(DataLoader(data, 8)):
        pass
