"""A search for a batch size finds the largest that fits and the useful one, and gives everything back."""

from __future__ import annotations

import copy
import gc
import json
import math
import random
from collections import UserDict
from dataclasses import dataclass

import pytest
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

import trainlint
from trainlint.core.errors import UserError
from trainlint.output.batch_size_text import lines
from trainlint.runtime.tensors import tensors_in
from trainlint.runtime.trials.batch_size_report import BatchSizeReport, NoiseScale
from trainlint.runtime.trials.batches import shape_of
from trainlint.runtime.trials.memory import bounded, has_run_out
from trainlint.runtime.trials.noise_scale import estimated


@pytest.fixture(autouse=True)
def collected(monkeypatch):
    """Return when the collector of garbage has been called, which takes long after many tests."""
    calls: list[int] = []
    monkeypatch.setattr(gc, "collect", lambda: calls.append(1))
    return calls


def find(*args, **options):
    return trainlint.find_batch_size(*args, progress=False, **options)


def loader_of(*tensors, size=16):
    generator = torch.Generator().manual_seed(3)
    return DataLoader(TensorDataset(*tensors), size, shuffle=True, generator=generator)


class Bounded(nn.Module):
    """Has memory for so many examples, and runs out of it in some way where there are more."""

    def __init__(self, most, error=None) -> None:
        super().__init__()
        self.body = nn.Sequential(nn.Linear(4, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Linear(8, 1))
        self.most, self.error = most, error

    def forward(self, x):
        if len(x) > self.most:
            raise self.error or torch.OutOfMemoryError("CUDA out of memory.")
        return self.body(x)


def setup(most=1000, *, size=16, examples=640, error=None):
    torch.manual_seed(0)
    model = Bounded(most, error)
    optimizer = torch.optim.AdamW(model.parameters())
    return (
        model,
        optimizer,
        nn.MSELoss(),
        loader_of(torch.randn(examples, 4), torch.randn(examples, 1), size=size),
    )


@pytest.mark.parametrize("most", [2, 15, 16, 129, 639])
def test_the_largest_that_fits_is_found_exactly(most, collected):
    report = find(*setup(most), noise=False)
    assert report.largest == most
    assert report.limit == 640
    assert len(report.sizes) <= 14
    assert [
        one for one, took in zip(report.sizes, report.seconds, strict=True) if took is None
    ] == [one for one in report.sizes if one > most]
    assert len(collected) == report.seconds.count(None)


def test_no_more_is_tried_than_there_are_examples_or_than_the_limit():
    assert find(*setup(), noise=False).sizes == (16, 32, 64, 128, 256, 512, 640)
    assert find(*setup(), noise=False, limit=100).sizes == (16, 32, 64, 100)
    assert find(*setup(), noise=False, limit=9).sizes == (9,)


def test_where_nothing_fits_it_is_said():
    report = find(*setup(0))
    assert report.largest is None
    assert report.suggestion is None
    assert "not even one example fits" in str(report)


def test_the_noise_is_not_measured_with_batches_that_do_not_fit():
    report = find(*setup(12))
    assert (report.largest, report.noise) == (12, None)
    assert "batches of 16 do not fit" in report.notes[0]


@pytest.mark.parametrize(
    ("error", "is_it"),
    [
        (torch.OutOfMemoryError("no more"), True),
        (MemoryError(), True),
        (RuntimeError("MPS backend out of memory (MPS allocated: 1 GB)"), True),
        (
            RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory: you tried"),
            True,
        ),
        (RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling"), True),
        (RuntimeError("mat1 and mat2 shapes cannot be multiplied"), False),
        (ValueError("out of memory"), False),
    ],
)
def test_it_is_known_when_memory_has_run_out(error, is_it):
    assert has_run_out(error) is is_it


def test_a_real_shortage_on_the_cpu_is_an_exception():
    with bounded(torch.device("cpu")), pytest.raises(RuntimeError) as error:
        torch.empty(1 << 50, dtype=torch.uint8).zero_()
    assert has_run_out(error.value)
    resource = pytest.importorskip("resource")
    before = resource.getrlimit(resource.RLIMIT_AS)
    with bounded(torch.device("cpu")):
        assert resource.getrlimit(resource.RLIMIT_AS) != before
    assert resource.getrlimit(resource.RLIMIT_AS) == before


def test_another_exception_names_the_size_and_the_line():
    class Fixed(Bounded):
        def forward(self, x):
            return self.body(x).reshape(16, 1)

    model = Fixed(100)
    loader = loader_of(torch.randn(64, 4), torch.randn(64, 1))
    with pytest.raises(
        UserError,
        match=r"test_batch_size\.py:\d+: a training step with 32 examples instead of 16 fails",
    ):
        find(model, torch.optim.SGD(model.parameters(), 0.1), "mse", loader)
    with pytest.raises(RuntimeError, match="shape"):  # those of the loader are the caller's
        find(*setup(error=RuntimeError("shape"), most=2), noise=False)


def test_the_noise_is_not_measured_with_the_same_batch_again_and_again():
    model, optimizer, loss, loader = setup(examples=16)
    alone = find(model, optimizer, loss, loader)
    assert (alone.largest, alone.noise) == (16, None)
    assert "the loader has one batch" in alone.notes[0]
    _, _, _, few = setup(examples=48)
    noise = find(model, optimizer, loss, few).noise
    assert noise is not None
    assert (noise.small, noise.large) == (16, 48)


def test_what_fits_is_told_though_a_later_loss_is_not_finite():
    model, optimizer, _, loader = setup(100)
    calls = []

    def loss(output, target):
        calls.append(len(output))
        bad = calls.count(16) > 8  # the noise is measured with batches of 16
        return nn.functional.mse_loss(output, target) * (math.nan if bad else 1)

    report = find(model, optimizer, loss, loader)
    assert (report.largest, report.noise) == (100, None)
    assert report.notes == ("the noise is not measured: the loss of a batch is not finite",)


@pytest.mark.parametrize("is_used", [True, False])
@pytest.mark.parametrize("name", ["AdamW", "SGD", "own"])
def test_everything_is_restored_to_the_bit(is_used, name):
    model, _, loss, loader = setup(100)
    kinds = {
        "AdamW": lambda some: torch.optim.AdamW(some, amsgrad=True),
        "SGD": lambda some: torch.optim.SGD(some, torch.tensor(0.1), momentum=0.9),
        "own": Closing,
    }
    optimizer = kinds[name](model.parameters())
    if is_used:
        loss(model(torch.randn(16, 4)), torch.zeros(16, 1)).backward()
        optimizer.step()
    model.eval()
    model.body[1].train()
    before = copy.deepcopy((model.state_dict(), optimizer.state_dict()))
    grads = [
        (one.grad, None if one.grad is None else one.grad.clone()) for one in model.parameters()
    ]
    moments = list(tensors_in([*optimizer.state.values()]))
    states = loader.generator.get_state(), torch.get_rng_state(), random.getstate()
    modes = [one.training for one in model.modules()]
    marks = set(vars(optimizer))
    report = find(model, optimizer, loss, loader, after=3, pairs=2, parts=2)
    assert report.largest == 100
    assert report.noise is not None
    assert all(torch.equal(one, before[0][key]) for key, one in model.state_dict().items())
    torch.testing.assert_close(optimizer.state_dict(), before[1], rtol=0, atol=0)
    now = list(tensors_in([*optimizer.state.values()]))
    assert all(one is was for one, was in zip(now, moments, strict=True))
    for (grad, value), one in zip(grads, model.parameters(), strict=True):
        assert one.grad is grad
        assert grad is None or value is None or torch.equal(grad, value)
    assert torch.equal(loader.generator.get_state(), states[0])
    assert torch.equal(torch.get_rng_state(), states[1])
    assert random.getstate() == states[2]
    assert [one.training for one in model.modules()] == modes
    assert set(vars(optimizer)) == marks


class Closing(torch.optim.Adagrad):
    """An optimizer that counts its steps in a list of its own state."""

    def step(self, closure=None):
        for one in self.param_groups[0]["params"]:
            self.state[one].setdefault("seen", []).append(1)
        return super().step(closure)


def regression(noise, *, examples, width=10):
    """Return a linear regression whose noise scale is known.

    With inputs of unit covariance, a residual of variance s² and weights that are off by d, the gradient of
    (x d - e)² is 2 d, and the trace of its covariance 4 ((width + 1) |d|² + width s²).
    """
    torch.manual_seed(0)
    x = torch.randn(examples, width)
    truth = torch.ones(width, 1) / math.sqrt(width)
    model = nn.Linear(width, 1, bias=False)
    nn.init.zeros_(model.weight)
    y = x @ truth + noise * torch.randn(examples, 1)
    scale = width + 1 + width * noise**2
    return (model, torch.optim.SGD(model.parameters(), 0.01), "mse", loader_of(x, y, size=8)), scale


@pytest.mark.parametrize("noise", [0.5, 2.0])
def test_the_noise_scale_is_that_of_theory(noise):
    made, scale = regression(noise, examples=1 << 14)
    report = find(*made, pairs=64, parts=16, limit=8)
    assert report.useful == pytest.approx(scale, rel=0.25)
    assert report.noise.low < scale < report.noise.high
    assert report.noise.high / report.noise.low < 2.5
    assert report.noise.examples == 64 * 16 * 8


def test_the_interval_holds_the_truth_as_often_as_it_says():
    torch.manual_seed(0)
    width, small, parts, pairs, scale = 10, 8, 8, 8, 21.0
    held = 0
    for _ in range(200):
        # Gradients whose mean is a unit vector, with a covariance of trace 21.
        little = torch.randn(pairs, parts, width) * math.sqrt(scale / width / small)
        little[..., 0] += 1
        squares = little.square().sum(-1).mean(1), little.mean(1).square().sum(-1)
        noise = estimated(
            list(zip(*map(torch.Tensor.tolist, squares), strict=True)), small, small * parts
        )
        held += noise.low <= scale <= noise.high
    assert 175 <= held <= 200


def test_a_gradient_without_noise_needs_one_example_and_one_of_noise_alone_more_than_there_are():
    model = nn.Linear(4, 1, bias=False)
    x = torch.ones(64, 4)
    same = find(model, torch.optim.SGD(model.parameters(), 0.1), "mse", loader_of(x, x[:, :1]))
    assert same.useful == pytest.approx(0, abs=1e-3)
    assert "clear with fewer than 32" in str(same)
    lost = estimated([(1.0, 0.01)] * 4, 8, 64)
    assert lost.estimate is None
    assert "cannot be told from its noise" in str(report(noise=lost))


def test_noise_grows_while_the_loss_falls():
    made, _ = regression(0.5, examples=2048)
    first, later = (find(*made, pairs=16, limit=8, after=after) for after in (0, 60))
    assert later.useful > 2 * first.useful
    assert "this is after 60 steps" in str(later)


def test_a_scaler_does_not_change_the_noise_and_low_precision_not_much():
    made, _ = regression(0.5, examples=1024)
    plain = find(*made, limit=8)
    scaler = torch.amp.GradScaler("cpu", init_scale=1024.0)
    scaled = find(*made, limit=8, scaler=scaler)
    assert scaled.useful == pytest.approx(plain.useful, rel=1e-4)
    assert scaler.get_scale() == 1024
    assert find(*made, limit=8, autocast=torch.bfloat16).useful == pytest.approx(
        plain.useful, rel=0.1
    )


def test_the_noise_is_that_of_what_the_optimizer_trains():
    torch.manual_seed(0)
    body, head = nn.Sequential(nn.Linear(8, 32), nn.ReLU()), nn.Linear(32, 2)
    x = torch.randn(512, 8)
    data = TensorDataset(x, (x[:, 0] > 0).long())

    def useful():
        torch.manual_seed(1)
        loader = DataLoader(data, 16, shuffle=True)
        optimizer = torch.optim.SGD(head.parameters(), 0.1)
        return find(nn.Sequential(body, head), optimizer, "cross_entropy", loader, limit=16).useful

    without_gradients_before_it = useful()
    body.requires_grad_(requires_grad=False)
    assert useful() == pytest.approx(without_gradients_before_it, rel=1e-4)


class Named(nn.Module):
    def __init__(self, size) -> None:
        super().__init__()
        self.embed, self.head, self.size = nn.Embedding(7, 5, sparse=True), nn.Linear(5, 2), size

    def forward(self, tokens, mask=None, scale=None):
        del mask, scale
        return self.head(self.embed(tokens).mean(self.size))


@dataclass
class Sample:
    tokens: torch.Tensor
    names: list[str]


def test_batches_of_all_kinds_are_made_larger():
    tokens = torch.arange(6).reshape(3, 2)
    shape = shape_of(tokens, None)
    assert (shape.size, shape.of(tokens), shape.of("no tensor")) == (3, 3, None)
    made = shape.resized(
        {"x": tokens, "scale": torch.tensor(2.0), "names": ["a", "b", "c"], "late": tokens.T}, 5
    )
    assert made["x"].tolist() == [[0, 1], [2, 3], [4, 5], [0, 1], [2, 3]]
    assert made["names"] == ["a", "b", "c", "a", "b"]
    assert made["late"].shape == (2, 5)
    assert made["scale"] == 2
    sample = Sample(tokens, ["a", "b", "c"])
    assert shape.resized(sample, 1).names == ["a"]
    assert sample.tokens is tokens
    assert isinstance(shape.resized(UserDict(x=tokens), 2), UserDict)
    assert [len(one) for one in shape.resized((tokens, tokens[:, 0]), 7)] == [7, 7]
    # a loader that knows its size has time before the examples
    late = shape_of(torch.zeros(50, 4, 8), loader_of(torch.zeros(4), size=4))
    assert (late.size, late.dimension) == (4, 1)
    with pytest.raises(UserError, match="how many examples"):
        shape_of(torch.tensor(1.0), None)


def test_mappings_and_sparse_gradients_are_measured():
    torch.manual_seed(0)
    model = Named(1)
    batches = [
        {
            "tokens": torch.randint(7, (6, 3)),
            "mask": torch.ones(6, 3),
            "labels": torch.randint(2, (6,)),
        }
        for _ in range(9)
    ] + [{"tokens": torch.randint(7, (2, 3)), "labels": torch.randint(2, (2,))}]
    optimizer = torch.optim.SGD(model.parameters(), 0.1)
    report = find(model, optimizer, "cross_entropy", batches, limit=40, parts=2)
    assert (report.given, report.largest) == (6, 40)
    assert report.noise is not None
    assert report.noise.examples == 5 * 2 * 6


def report(**changed):
    given = {
        "sizes": (16, 32, 64, 48),
        "seconds": (0.01, 1.5, None, 0.03),
        "largest": 63,
        "limit": 640,
        "given": 16,
        "noise": NoiseScale(210.0, 130.0, 380.0, 1024, 16, 128),
    }
    return BatchSizeReport(**{**given, **changed})


def test_the_report_says_what_fits_what_is_useful_and_what_the_craft_says():
    text = str(report())
    assert "largest that fits: 63 (memory runs out with 64)" in text
    assert "about 210 (95 % interval: 130 to 380; 1,024 examples)" in text
    assert "to begin with: 32 (the craft's default is not over 32)" in text
    assert "A batch over 32 pays if it runs faster: up to about 210" in text
    assert "       16      10 ms       1,600\n       32      1.5 s          21\n" in text
    assert "a good size" in str(report(noise=NoiseScale(30.0, 20.0, 50.0, 1024, 16, 128)))
    assert "over 20 with batch normalisation" in " ".join(str(report(normalised=True)).split())
    assert "GroupNorm" in str(report(normalised=True, largest=8))
    assert json.loads(json.dumps(report().to_dict()))["noise_scale"]["high"] == 380


@pytest.mark.parametrize("width", [40, 60])
def test_no_line_of_the_report_is_longer_than_the_terminal_is_wide(width):
    shown = list(lines(report(normalised=True, notes=("a note " * 20,)), width))
    assert max(map(len, shown)) <= width
    assert "    batch       step  examples/s" in shown


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"loader": iter([1, 2])}, "gone through once"),
        ({"loader": []}, "no batches"),
        ({"loss": lambda o, _: o.detach().sum()}, "no graph"),
        ({"loss": lambda o, _: o.sum() * math.nan}, "not finite"),
        ({"model": nn.ReLU()}, "no parameter"),
        ({"model": 3}, "the model is of type `int`"),
    ],
)
def test_what_cannot_be_tried_is_said_in_one_line(changed, said):
    given = dict(zip(("model", "optimizer", "loss", "loader"), setup(), strict=True)) | changed
    with pytest.raises(UserError, match=said):
        find(*given.values(), limit=32)
