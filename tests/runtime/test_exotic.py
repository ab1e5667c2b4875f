"""What few trainings do is watched, too, or it is said in one line what is not; the training is as it was."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.func import functional_call, grad, vmap
from torch.utils.checkpoint import checkpoint

import trainlint

STEPS = 6


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(8, 16), nn.ReLU(), nn.Linear(16, 16), nn.Tanh())
        self.head = nn.Linear(16, 3)

    def forward(self, inputs):
        return self.head(self.body(inputs))


def batch():
    inputs = torch.randn(32, 8)
    return inputs, inputs[:, :3].argmax(1)


def sgd(model):
    return torch.optim.SGD(model.parameters(), lr=0.1)


def plainly(model, optimizer):
    inputs, labels = batch()
    optimizer.zero_grad()
    nn.functional.cross_entropy(model(inputs), labels).backward()
    optimizer.step()


def checkpointed(use_reentrant):
    class Checkpointed(Net):
        def forward(self, inputs):
            return self.head(checkpoint(self.body, inputs, use_reentrant=use_reentrant))

    def step(model, optimizer):
        inputs, labels = batch()
        optimizer.zero_grad()
        nn.functional.cross_entropy(model(inputs.requires_grad_()), labels).backward()
        optimizer.step()

    return Checkpointed, sgd, step


def per_sample(model, optimizer):
    """Clip each sample's gradient, as differential privacy does: `vmap` of `grad`."""
    parameters = {name: one.detach() for name, one in model.named_parameters()}

    def loss(parameters, one, label):
        outputs = functional_call(model, parameters, (one.unsqueeze(0),))
        return nn.functional.cross_entropy(outputs, label.unsqueeze(0))

    each = vmap(grad(loss), (None, 0, 0))(parameters, *batch())
    for name, one in model.named_parameters():
        one.grad = each[name].clamp(-1, 1).mean(0)
    optimizer.step()


def stateless(model, optimizer):
    """Take the gradient of a function of the parameters."""
    inputs, labels = batch()
    gradients = grad(
        lambda parameters: nn.functional.cross_entropy(
            functional_call(model, parameters, (inputs,)), labels
        )
    )({name: one.detach() for name, one in model.named_parameters()})
    for name, one in model.named_parameters():
        one.grad = gradients[name]
    optimizer.step()


class Words(nn.Module):
    def __init__(self):
        super().__init__()
        self.words = nn.Embedding(50, 8, sparse=True)
        self.bags = nn.EmbeddingBag(50, 8, sparse=True)
        self.head = nn.Linear(8, 3)

    def forward(self, tokens):
        return self.head(self.words(tokens).mean(1) + self.bags(tokens))


def sparse(model, optimizer):
    tokens = torch.randint(0, 20, (16, 5))
    optimizer.zero_grad()
    nn.functional.cross_entropy(model(tokens), tokens[:, 0] % 3).backward()
    optimizer.step()


class Waves(nn.Module):
    def __init__(self):
        super().__init__()
        self.first = nn.Linear(8, 16, dtype=torch.complex64)
        self.second = nn.Linear(16, 3, dtype=torch.complex64)

    def forward(self, inputs):
        return self.second(torch.tanh(self.first(torch.fft.fft(inputs)))).abs()


class Offloaded(Net):
    def __init__(self):
        super().__init__()
        self.elsewhere = nn.Linear(16, 16, device="meta")


class Lazy(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(nn.LazyLinear(16), nn.LazyBatchNorm1d(), nn.ReLU())
        self.head = nn.LazyLinear(3)

    def forward(self, inputs):
        return self.head(self.body(inputs))


class Half(nn.Module):
    def __init__(self):
        super().__init__()
        self.first = nn.Linear(8, 16, dtype=torch.bfloat16)
        self.second = nn.Linear(16, 3, dtype=torch.float64)

    def forward(self, inputs):
        return self.second(torch.relu(self.first(inputs.bfloat16())).double())


CASES = {
    "plain": (Net, sgd, plainly),
    "reentrant checkpoints": checkpointed(use_reentrant=True),
    "checkpoints": checkpointed(use_reentrant=False),
    "per-sample gradients": (Net, sgd, per_sample),
    "gradients of a function": (Net, sgd, stateless),
    "sparse gradients": (Words, sgd, sparse),
    "sparse gradients, adagrad": (
        Words,
        lambda model: torch.optim.Adagrad(model.parameters(), lr=0.1),
        sparse,
    ),
    "complex parameters": (Waves, sgd, plainly),
    "complex parameters, adam": (
        Waves,
        lambda model: torch.optim.Adam(model.parameters(), lr=1e-2),
        plainly,
    ),
    "parameters on several devices": (Offloaded, sgd, plainly),
    "lazy modules": (Lazy, sgd, plainly),
    "several dtypes": (Half, sgd, plainly),
}


UNSEEN = {
    "per-sample gradients": "trainlint watches no activation inside of torch.func",
    "gradients of a function": "trainlint watches no activation inside of torch.func",
}


def trained(case, *, watch):
    """Return the weights after a training, and its monitor."""
    make, optimizer_of, step = CASES[case]
    torch.manual_seed(5)
    model = make()
    optimizer = optimizer_of(model)
    monitor = trainlint.watch(model, optimizer, every=2, live=False) if watch else None
    for _ in range(STEPS):
        step(model, optimizer)
    return model, monitor


@pytest.mark.filterwarnings("ignore:Sparse invariant checks")
@pytest.mark.parametrize("case", CASES)
def test_it_is_watched_or_said_not_to_be_and_ends_in_the_same_bits(case, caplog):
    model, monitor = trained(case, watch=True)
    said = caplog.messages
    other, _ = trained(case, watch=False)
    ends = [[one for one in each.parameters() if not one.is_meta] for each in (model, other)]
    assert all(map(torch.equal, *ends))
    assert monitor.step == STEPS
    assert monitor.diagnoses == ()
    last = monitor.signals.last
    moving = {name for name, one in model.named_parameters() if not one.is_meta}
    for signal in ("gradient_rms", "weight_rms", "update_ratio"):
        assert last[signal].keys() == moving
    if case in UNSEEN:
        (line,) = said
        assert line.startswith(UNSEEN[case])
        return
    assert said == []
    leaves = {
        name
        for name, one in model.named_modules()
        if not list(one.children()) and not any(each.is_meta for each in one.parameters())
    }
    assert leaves <= last["rms"].keys()
    assert set(last["calls"].values()) == {1}
    monitor.close()


@pytest.mark.parametrize("how", ["reentrant checkpoints", "checkpoints"])
def test_what_a_checkpoint_runs_again_is_not_taken_for_the_model(how):
    _, monitor = trained(how, watch=True)
    _, plain = trained("plain", watch=True)
    for signal in ("input_std", "batch_size", "rms", "window_samples", "output_change"):
        assert monitor.signals.last.get(signal) == plain.signals.last.get(signal)


def test_what_a_cuda_graph_captures_is_no_step_and_said_once(caplog, monkeypatch):
    model = Net()
    optimizer = sgd(model)
    monitor = trainlint.watch(model, optimizer, every=1, live=False)
    plainly(model, optimizer)
    with monkeypatch.context() as capturing:
        capturing.setattr(torch.cuda, "is_initialized", lambda: True)
        capturing.setattr(torch.cuda, "is_current_stream_capturing", lambda: True)
        plainly(model, optimizer)
        plainly(model, optimizer)
    assert monitor.step == 1
    (line,) = caplog.messages
    assert line.startswith("trainlint watches no step that a CUDA graph replays")
    plainly(model, optimizer)
    assert monitor.step == 2
    assert set(monitor.signals.last["calls"].values()) == {1}
    monitor.close()
