"""A probe measures what a model does to a signal, and leaves the model as it was."""

from __future__ import annotations

import copy
import math
import random
import re
from dataclasses import dataclass
from typing import Any, NamedTuple

import pytest
import torch
from torch import nn
from torch.utils.checkpoint import checkpoint

import trainlint
from trainlint.core.errors import UserError
from trainlint.runtime import probe as probing
from trainlint.runtime.judging.gains import ideal_gain, moments, predicted
from trainlint.runtime.signals import Activation
from trainlint.runtime.trials.reinitialise import reinitialise

WIDTH = 256
torch.manual_seed(0)  # or what is drawn on import hangs on what was imported before


@pytest.fixture(autouse=True)
def seeded():
    torch.manual_seed(0)


def mlp(activation=nn.ReLU, *, depth=10, scale=None, width=WIDTH):
    """Return a perceptron whose weights have a standard deviation of scale / sqrt(width)."""
    torch.manual_seed(0)
    parts: list[nn.Module] = []
    for _ in range(depth):
        linear = nn.Linear(width, width)
        if scale is not None:
            nn.init.normal_(linear.weight, std=scale / math.sqrt(width))
            nn.init.zeros_(linear.bias)
        parts += [linear, activation()]
    return nn.Sequential(*parts, nn.Linear(width, 10))


def batch(width=WIDTH, size=64):
    torch.manual_seed(1)
    return torch.randn(size, width), torch.randint(10, (size,))


def probe(*args, **options):
    return trainlint.probe(*args, **options)


def names(report):
    return {one.rule for one in report.diagnoses}


def test_he_initialisation_keeps_the_scale_before_relu():
    report = probe(mlp(scale=math.sqrt(2)), batch(), "cross_entropy")
    hidden = report.weighted[:-1]
    assert all(one.gain == pytest.approx(math.sqrt(2), rel=0.15) for one in hidden)
    assert all(one.ideal == pytest.approx(math.sqrt(2), rel=1e-3) for one in hidden)
    assert 0.3 < hidden[-1].running < 6
    assert "poor-initial-scale" not in names(report)


def test_weights_that_are_too_small_lose_the_signal_and_the_remedy_is_measured():
    report = probe(mlp(scale=0.2), batch(), "cross_entropy")
    assert "poor-initial-scale" in names(report)
    assert report.effect is not None
    assert report.effect.before.forward < 1e-8
    assert 0.1 < report.effect.after.forward < 10
    assert "poor-initial-scale" not in report.effect.after.diagnoses
    assert {scheme.split(",")[0] for _, scheme in report.effect.schemes} == {"Kaiming", "Glorot"}


def test_a_healthy_model_has_no_diagnoses_and_no_remedy():
    report = probe(mlp(scale=math.sqrt(2), depth=3), batch(), "cross_entropy")
    assert report.diagnoses == ()
    assert report.effect is None
    assert report.loss == pytest.approx(report.expected_loss, rel=0.5)
    assert report.expected_loss == pytest.approx(math.log(10))


def test_the_gradient_shrinks_on_its_way_back_through_sigmoids():
    report = probe(mlp(nn.Sigmoid, scale=1.0), batch(), "cross_entropy")
    assert report.weighted[0].backward_running < 1e-4
    assert "vanishing-gradient" in names(report)


def test_saturation_is_measured_and_the_message_speaks_of_no_row_of_steps():
    report = probe(mlp(nn.Tanh, scale=8.0, depth=4), batch(), "cross_entropy")
    said = next(one for one in report.diagnoses if one.rule == "saturated-activation")
    assert "in a row" not in said.message
    assert "1 measured" not in said.message
    assert report.effect.before.saturated > 0.7
    assert report.effect.after.saturated < 0.3
    assert said.moment.step == 0


class Counting(nn.Module):
    """Changes a buffer and draws random numbers in its forward."""

    calls: torch.Tensor

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(nn.Linear(8, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Dropout(0.5))
        self.register_buffer("calls", torch.zeros(()))

    def forward(self, x):
        self.calls = self.calls + 1
        return self.body(x) + random.random()  # noqa: S311


@pytest.mark.parametrize("is_training", [True, False])
def test_the_model_is_left_as_it_was_to_the_bit(is_training):
    model = Counting()
    model.train(is_training)
    model.body[1].eval()
    x = torch.randn(16, 8)
    model(x).sum().backward()
    before = copy.deepcopy(model.state_dict())
    gradients = [one.grad for one in model.parameters()]
    values = [one.clone() for one in gradients if one is not None]
    modes = [one.training for one in model.modules()]
    buffer = model.calls
    places = [one.data_ptr() for one in model.parameters()]
    torch_state, python_state = torch.get_rng_state(), random.getstate()
    probe(model, x, remedy=True, seeds=2)
    assert all(torch.equal(one, before[name]) for name, one in model.state_dict().items())
    assert all(one.grad is was for one, was in zip(model.parameters(), gradients, strict=True))
    for now, was in zip(gradients, values, strict=True):
        assert (now is None) is (was is None)
        if now is not None and was is not None:
            assert torch.equal(now, was)
    assert [one.training for one in model.modules()] == modes
    assert model.calls is buffer
    assert [one.data_ptr() for one in model.parameters()] == places
    assert torch.equal(torch.get_rng_state(), torch_state)
    assert random.getstate() == python_state


def test_a_device_that_begins_later_is_not_seeded_by_a_probe():
    before = len(torch.cuda._queued_calls)
    probe(nn.Linear(8, 2), torch.randn(16, 8), remedy=True, seeds=2)
    assert len(torch.cuda._queued_calls) == before


@pytest.mark.parametrize("columns", [64, 256, 1100])
@pytest.mark.parametrize("is_sparse", [False, True])
def test_rows_that_are_alike_are_found_whatever_few_columns_say(columns, is_sparse):
    torch.manual_seed(0)
    first = nn.Linear(columns, 40)
    model = nn.Sequential(first, nn.ReLU(), nn.Linear(40, 2))
    with torch.no_grad():
        weight = first.weight
        if is_sparse:  # all that is not 0 lies in columns of which most are left out
            weight[:, : columns - 5] = 0
        weight[10:20] = weight[:10] * 2 + 1e-4 * torch.randn(10, columns)
        rows = nn.functional.normalize(weight, dim=1)
        likeness = (rows @ rows.T).fill_diagonal_(0)
        expected = float((likeness.amax(1) > 0.999).float().mean())
    report = probe(model, torch.randn(16, columns), remedy=False)
    assert expected > 0.4
    assert report.signals["similar_rows"]["0.weight"] == pytest.approx(expected)


def test_weights_are_drawn_evenly_whatever_their_type():
    for dtype in (torch.float32, torch.float64, torch.bfloat16):
        first = nn.Linear(301, 257)
        model = nn.Sequential(first, nn.ReLU(), nn.Linear(257, 3)).to(dtype)
        layers = probe(model, torch.randn(16, 301, dtype=dtype), remedy=False).facts.layers
        reinitialise(model, layers)
        weight, bound = first.weight.detach().double(), math.sqrt(6 / 301)
        assert weight.abs().max() <= bound * 1.01
        assert weight.var() == pytest.approx(bound**2 / 3, rel=0.02)
        assert abs(weight.mean()) < bound / 50
        assert len(weight.unique()) > (1000 if dtype is not torch.bfloat16 else 100)


def test_the_scale_of_the_output_is_not_that_of_the_loss_that_comes_with_it():
    class LossFirst(OwnLoss):
        def forward(self, tokens, targets=None):
            logits, loss = super().forward(tokens, targets)
            return {"loss": loss, "logits": logits}

    report = probe(LossFirst(), {"tokens": TOKENS, "targets": TOKENS.flip(1)})
    assert report.output_rms is not None
    assert report.output_rms < 1.5
    assert abs(report.output_mean or 0.0) < 0.5


def test_a_model_is_restored_even_where_the_loss_raises():
    model = Counting()
    before = copy.deepcopy(model.state_dict())

    def loss(*_):
        raise RuntimeError

    with pytest.raises(RuntimeError):
        probe(model, (torch.randn(16, 8), torch.zeros(16)), loss)
    assert all(torch.equal(one, before[name]) for name, one in model.state_dict().items())


class Branches(nn.Module):
    """One head ignores the input; one layer is never called, one is cut off."""

    def __init__(self) -> None:
        super().__init__()
        self.body, self.unused, self.cut = nn.Linear(8, 8), nn.Linear(8, 8), nn.Linear(8, 8)
        self.constant = nn.Parameter(torch.randn(4))

    def forward(self, x):
        hidden = self.body(x) + self.cut(x).detach()
        return {"logits": hidden, "constant": self.constant.expand(len(x), 4)}


def test_parameters_without_gradient_and_outputs_without_input_are_named():
    report = probe(Branches(), torch.randn(16, 8))
    assert set(report.without_gradient) == {
        "unused.weight",
        "unused.bias",
        "cut.weight",
        "cut.bias",
    }
    assert report.independent == ("output['constant']",)
    assert "no-gradient" in names(report)


@dataclass
class Pair:
    left: torch.Tensor
    right: torch.Tensor


class TakesPair(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.fc = nn.Linear(8, 3)

    def forward(self, pair):
        return self.fc(pair.left) + torch.tanh(self.fc(pair.right))


class Recurrent(nn.Module):
    def __init__(self, kind) -> None:
        super().__init__()
        self.embed, self.rnn, self.head = nn.Embedding(50, 16), kind(16, 32), nn.Linear(32, 50)

    def forward(self, tokens):
        return self.head(self.rnn(self.embed(tokens))[0])


class Lazy(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.first, self.last = nn.LazyLinear(16), nn.LazyLinear(4)

    def forward(self, x):
        return self.last(nn.functional.gelu(self.first(x)))


class Block(nn.Module):
    """A residual block, whose last normalisation may start at 0 as in large trainings."""

    def __init__(self, width, *, is_zero=False) -> None:
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(width, width, 3, padding=1), nn.BatchNorm2d(width)
        self.conv2, self.bn2 = nn.Conv2d(width, width, 3, padding=1), nn.BatchNorm2d(width)
        if is_zero:
            nn.init.zeros_(self.bn2.weight)

    def forward(self, x):
        hidden = nn.functional.relu(self.bn1(self.conv1(x)))
        return nn.functional.relu(x + self.bn2(self.conv2(hidden)))


def resnet(*, is_zero=False):
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(3, 8, 3, padding=1),
        nn.BatchNorm2d(8),
        nn.ReLU(),
        *(Block(8, is_zero=is_zero) for _ in range(4)),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(8, 5),
    )


class Heads(nn.Module):
    """Has two outputs with a loss each, and two inputs of which one is of integers."""

    def __init__(self) -> None:
        super().__init__()
        self.body, self.embed = nn.Linear(8, 16), nn.Embedding(5, 16)
        self.classes, self.value = nn.Linear(16, 3), nn.Linear(16, 1)

    def forward(self, x, kind):
        hidden = torch.tanh(self.body(x) + self.embed(kind))
        return {"classes": self.classes(hidden), "value": self.value(hidden)}


def two_losses(output, target):
    labels, values = target
    return nn.functional.cross_entropy(output["classes"], labels) + nn.functional.mse_loss(
        output["value"], values
    )


class OwnLoss(nn.Module):
    """Returns what it foretells and its loss, as many language models do."""

    def __init__(self) -> None:
        super().__init__()
        self.embed, self.head = nn.Embedding(50, 16), nn.Linear(16, 50)

    def forward(self, tokens, targets=None):
        logits = self.head(self.embed(tokens))
        if targets is None:
            return logits, None
        return logits, nn.functional.cross_entropy(logits.flatten(0, 1), targets.flatten())


class Last(nn.Module):
    """Reads a long sequence and judges after its last step."""

    def __init__(self, kind) -> None:
        super().__init__()
        self.rnn, self.head = kind(8, 64, batch_first=True), nn.Linear(64, 5)

    def forward(self, x):
        return self.head(self.rnn(x)[0][:, -1])


def encoder(*, norm_first):
    layer = nn.TransformerEncoderLayer(32, 4, 64, batch_first=True, norm_first=norm_first)
    body = nn.TransformerEncoder(layer, 3, enable_nested_tensor=False)
    return nn.Sequential(nn.Linear(16, 32), body, nn.LayerNorm(32), nn.Linear(32, 50))


def compiled_in_place():
    model = mlp(depth=2, width=32)
    model.compile(backend="eager")
    return model


TOKENS = torch.arange(40).reshape(4, 10)
IMAGES = (torch.randn(8, 3, 12, 12), torch.arange(8) % 5)
MODELS: dict[str, tuple[Any, Any, Any]] = {
    "resnet": (resnet, IMAGES, "cross_entropy"),
    "several losses": (
        Heads,
        (torch.randn(9, 8), torch.arange(9) % 5, (torch.arange(9) % 3, torch.randn(9, 1))),
        two_losses,
    ),
    "mapping": (Heads, {"x": torch.randn(9, 8), "kind": torch.arange(9) % 5}, None),
    "own loss": (OwnLoss, {"tokens": TOKENS, "targets": TOKENS.flip(1)}, None),
    "float16": (
        lambda: mlp(depth=2, width=32).half(),
        (torch.randn(16, 32).half(), torch.arange(16) % 10),
        "cross_entropy",
    ),
    "compiled in place": (compiled_in_place, batch(32), "cross_entropy"),
    "post-norm encoder": (
        lambda: encoder(norm_first=False),
        (torch.randn(4, 6, 16), torch.arange(24).reshape(4, 6)),
        "cross_entropy",
    ),
    "pre-norm encoder": (
        lambda: encoder(norm_first=True),
        (torch.randn(4, 6, 16), torch.arange(24).reshape(4, 6)),
        "cross_entropy",
    ),
    "last step": (
        lambda: Last(nn.GRU),
        (torch.randn(32, 65, 8), torch.arange(32) % 5),
        "cross_entropy",
    ),
    "sparse": (
        lambda: nn.Sequential(nn.EmbeddingBag(40, 16, sparse=True), nn.Linear(16, 5)),
        (TOKENS, torch.arange(4)),
        "cross_entropy",
    ),
    "lstm": (lambda: Recurrent(nn.LSTM), (TOKENS, TOKENS), "cross_entropy"),
    "gru": (lambda: Recurrent(nn.GRU), (TOKENS, TOKENS), "cross_entropy"),
    "dataclass": (TakesPair, Pair(torch.randn(9, 8), torch.randn(9, 8)), None),
    "lazy": (Lazy, (torch.randn(9, 8), torch.randn(9, 4)), "mse"),
    "post-norm": (
        lambda: nn.TransformerEncoderLayer(32, 4, 64, batch_first=True),
        torch.randn(4, 6, 32),
        None,
    ),
    "pre-norm": (
        lambda: nn.TransformerEncoderLayer(32, 4, 64, batch_first=True, norm_first=True),
        torch.randn(4, 6, 32),
        None,
    ),
    "bfloat16": (
        lambda: mlp(depth=2, width=32).bfloat16(),
        (torch.randn(16, 32).bfloat16(), torch.randint(10, (16,))),
        "cross_entropy",
    ),
    "compiled": (lambda: torch.compile(mlp(depth=2, width=32)), batch(32), "cross_entropy"),
    "convolution": (
        lambda: nn.Sequential(
            nn.Conv2d(3, 8, 3),
            nn.BatchNorm2d(8),
            nn.ReLU(inplace=True),
            nn.Flatten(),
            nn.LazyLinear(5),
        ),
        (torch.randn(8, 3, 8, 8), torch.randint(5, (8,))),
        nn.CrossEntropyLoss(),
    ),
}


@pytest.mark.filterwarnings("ignore::DeprecationWarning:torch")
@pytest.mark.parametrize("name", MODELS)
def test_models_of_all_kinds_are_measured(name):
    make, data, loss = MODELS[name]
    report = probe(make(), data, loss, remedy=True)
    assert report.weighted
    assert all(one.variance is not None and math.isfinite(one.variance) for one in report.weighted)
    assert any(one.gradient for one in report.weighted)
    assert report.effect is not None
    assert not [one for one in report.notes if "could not judge" in one]
    assert str(report).count("\n") > 5


HEALTHY = (
    "resnet",
    "pre-norm encoder",
    "post-norm encoder",
    "lstm",
    "gru",
    "last step",
    "own loss",
)


@pytest.mark.parametrize("name", HEALTHY)
def test_usual_models_as_torch_initialises_them_have_no_diagnoses(name):
    make, data, loss = MODELS[name]
    report = probe(make(), data, loss)
    assert not report.diagnoses
    assert not report.without_gradient
    assert report.loss == pytest.approx(report.expected_loss, rel=0.3)
    assert all(one.backward_running for one in report.weighted if one.layer.name != "embed")


def test_what_is_cut_off_only_by_zeros_has_a_gradient_from_the_second_step_on():
    report = probe(resnet(is_zero=True), IMAGES, "cross_entropy")
    assert not report.diagnoses
    assert not report.without_gradient
    assert "`3.bn2.weight`, `4.bn2.weight`, `5.bn2.weight` and 1 more start at 0" in report.notes[0]


class Zeros(nn.Module):
    """Ends in a head that starts at 0, beside a layer that is really cut off."""

    def __init__(self) -> None:
        super().__init__()
        self.body, self.adapter, self.cut = nn.Linear(8, 8), nn.Linear(8, 8), nn.Linear(8, 8)
        self.head = nn.Linear(8, 3)
        for one in (self.head, self.adapter):
            nn.init.zeros_(one.weight)
            nn.init.zeros_(one.bias)

    def forward(self, x):
        return self.head(torch.tanh(x + self.adapter(self.body(x)) + self.cut(x).detach()))


@pytest.mark.parametrize(("held", "most"), [(0, 1), (300_000, 6)])
def test_gradients_that_are_freed_as_they_come_tell_the_same(held, most, monkeypatch):
    model = mlp(scale=0.5, depth=4)  # weights of 262 KB
    kept = probe(model, batch(), "cross_entropy", remedy=True)
    monkeypatch.setattr(probing, "HELD", held)
    assert probe(model, batch(), "cross_entropy", remedy=True).effect == kept.effect

    there = []
    look, measure = probing._Parameters._look, probing._measure

    def counted(self, parameters):
        there.append(sum(one.grad is not None for one in model.parameters()))
        look(self, parameters)

    monkeypatch.setattr(probing._Parameters, "_look", counted)
    monkeypatch.setattr(probing, "_measure", lambda *what: measure(*what, is_frugal=True))
    freed = probe(model, batch(), "cross_entropy", remedy=False)
    assert max(there) == most
    assert freed.signals.keys() == kept.signals.keys()
    for signal, values in kept.signals.items():
        assert freed.signals[signal] == pytest.approx(values, rel=1e-5, nan_ok=True), signal


def test_what_starts_at_zero_is_seen_where_gradients_are_freed(monkeypatch):
    """The scale of a residual branch that starts at 0, as of ReZero, is not drawn anew."""

    class Branch(nn.Module):
        def __init__(self):
            super().__init__()
            self.body = nn.Linear(16, 16)
            self.scale = nn.Parameter(torch.zeros(1))

        def forward(self, x):
            return x + self.scale * torch.tanh(self.body(x))

    monkeypatch.setattr(probing, "HELD", 0)
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(16, 16), Branch(), Branch(), nn.Linear(16, 10))
    report = probe(model, batch(16), "cross_entropy", remedy=True)
    assert report.effect is not None
    assert "no-gradient" not in {*names(report), *report.effect.after.diagnoses}


def test_an_optimizer_that_steps_within_the_backward_pass_changes_no_weight():
    model = mlp(depth=2)
    optimizers = {one: torch.optim.SGD([one], lr=1.0) for one in model.parameters()}
    for one in model.parameters():
        one.register_post_accumulate_grad_hook(lambda of: optimizers[of].step())
    before = copy.deepcopy(model.state_dict())
    probe(model, batch(), "cross_entropy", remedy=True)
    torch.testing.assert_close(model.state_dict(), before, rtol=0, atol=0)


def test_a_head_of_zeros_hides_no_layer_that_is_cut_off():
    model = Zeros()
    before = copy.deepcopy(model.state_dict())
    report = probe(model, (torch.randn(9, 8), torch.arange(9) % 3), "cross_entropy")
    assert report.without_gradient == ("cut.weight", "cut.bias")
    assert names(report) == {"no-gradient"}
    assert report.independent == ()
    assert all(torch.equal(one, before[name]) for name, one in model.state_dict().items())


def test_the_remedy_is_measured_where_a_forward_belongs_to_one_model():
    model = mlp(scale=0.1, depth=3, width=32)
    model.forward = model.forward  # a copy would run this model
    report = probe(model, batch(32), "cross_entropy")
    assert report.effect is not None
    assert "poor-initial-scale" in report.effect.before.diagnoses
    assert report.effect.after.diagnoses == ()


def test_units_without_a_signal_are_not_taken_for_dead_ones():
    report = probe(mlp(depth=20, width=64), batch(64), "cross_entropy")
    assert max(one.dead or 0 for one in report.layers) > 0.5
    assert names(report) == {"vanishing-gradient"}
    assert report.effect is not None
    assert report.effect.after.diagnoses == ()


def test_the_layers_of_one_line_are_one_diagnosis():
    model = mlp(scale=math.sqrt(2), depth=4, width=64)
    for one in model:
        if isinstance(one, nn.Linear) and one.out_features == 64:
            nn.init.constant_(one.bias[:40], -8)
    report = probe(model, batch(64), "cross_entropy")
    said = [one for one in report.diagnoses if one.rule == "dead-relu"]
    assert len(said) == 1
    assert said[0].message.endswith("; so it is with `3`, `5`, `7` of the same line")


def test_the_expected_loss_is_that_of_the_whole_loss():
    x, y = torch.randn(16, 8), torch.arange(16) % 3
    value = torch.randn(16, 3)
    model = nn.Linear(8, 3)
    assert probe(model, (x, y), "cross_entropy").expected_loss == pytest.approx(math.log(3))
    assert probe(model, (x, value), "mse").expected_loss == pytest.approx(float((value**2).mean()))
    chances = torch.rand(16, 3)
    assert probe(model, (x, chances), "bce_with_logits").expected_loss == pytest.approx(math.log(2))
    parts = probe(model, (x, y), lambda o, t: nn.functional.cross_entropy(o, t) + o.square().sum())
    assert parts.expected_loss is None


def test_no_optimizer_is_made_which_would_import_the_compiler_for_seconds(monkeypatch):
    monkeypatch.setattr(torch.optim.Optimizer, "__init__", None)
    assert probe(nn.Linear(4, 2), torch.randn(8, 4), remedy=True).weighted


def test_a_lazy_model_stays_lazy():
    model = Lazy()
    probe(model, torch.randn(9, 8))
    assert isinstance(model.first.weight, nn.parameter.UninitializedParameter)


class Looping(nn.Module):
    """Calls one function behind each of its layers."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.ModuleList(nn.Linear(16, 16) for _ in range(4))

    def forward(self, x):
        for one in self.layers:
            x = nn.functional.relu(one(x))
        return x


def test_a_function_in_a_loop_follows_each_of_the_layers():
    report = probe(Looping(), torch.randn(9, 16))
    assert {one.layer.followed_by for one in report.weighted} == {Activation.RELU}


def test_a_shared_layer_is_one_row():
    shared = nn.Linear(8, 8)
    report = probe(nn.Sequential(shared, nn.Tanh(), shared), torch.randn(16, 8))
    assert len(report.weighted) == 1


def inferred():
    with torch.inference_mode():
        return nn.Linear(4, 4)


def test_several_seeds_of_a_factory_give_a_spread():
    report = probe(
        lambda: nn.Sequential(nn.Linear(8, 8), nn.ReLU(), nn.Linear(8, 2)),
        torch.randn(16, 8),
        seeds=3,
    )
    low, high = report.weighted[-1].spread
    assert low < high
    assert report.seeds == 3


@pytest.mark.parametrize(
    ("model", "data", "loss", "said"),
    [
        (nn.ReLU(), torch.randn(4, 4), None, "`ReLU` has no parameters"),
        (3, torch.randn(4, 4), None, "the model is of type `int`"),
        (nn.Linear(4, 4).requires_grad_(requires_grad=False), torch.randn(4, 4), None, "requires"),
        (nn.Linear(4, 4), (torch.randn(4, 4),) * 2, "mze", "did you mean `mse`?"),
        (nn.Linear(4, 4), (torch.randn(4, 4),) * 2, lambda o, _: o.detach().sum(), "no graph"),
        (nn.Linear(4, 4), (torch.randn(4, 4),) * 2, lambda o, _: o, "shape (4, 4)"),
        (inferred(), torch.randn(4, 4), None, "made in `torch.inference_mode`"),
        (nn.Linear(4, 4, device="meta"), torch.randn(4, 4), None, "on the meta device"),
        (nn.Linear(4, 4), (torch.randn(4, 4),) * 2, lambda *_: 3.0, "is of type `float`"),
    ],
)
def test_what_cannot_be_probed_is_said_in_one_line(model, data, loss, said):
    with pytest.raises(UserError, match=re.escape(said)) as error:
        probe(model, data, loss)
    assert "\n" not in str(error.value)


def test_a_loss_without_a_graph_is_named_with_its_line():
    def without_graph(output, target):
        return (output - target).square().mean().detach()

    with pytest.raises(UserError, match=r"test_probe\.py:\d+: the loss has no graph"):
        probe(nn.Linear(4, 4), (torch.randn(4, 4),) * 2, without_graph)


@pytest.mark.parametrize(
    ("activation", "gain"),
    [(Activation.RELU, math.sqrt(2)), (Activation.SELU, 1.0), (Activation.TANH, 1.5926)],
)
def test_the_ideal_gain_is_that_of_theory(activation, gain):
    assert ideal_gain(activation) == pytest.approx(gain, rel=1e-3)


@pytest.mark.parametrize("activation", [nn.ReLU, nn.Tanh, nn.Sigmoid, nn.SELU])
@pytest.mark.parametrize("scale", [0.5, 1.0, math.sqrt(2)])
def test_the_ratios_of_wide_layers_are_the_predicted_ones_within_a_tenth(activation, scale):
    model = mlp(activation, depth=6, scale=scale, width=512)
    hidden = probe(model, batch(512), "cross_entropy", remedy=False).weighted[:-1]
    assert all(one.predicted == pytest.approx(scale**2, rel=0.01) for one in hidden)
    assert all(one.forward == pytest.approx(one.predicted, rel=0.25) for one in hidden)
    mean = math.prod(one.forward / one.predicted for one in hidden) ** (1 / len(hidden))
    assert mean == pytest.approx(1, rel=0.1)


class Odd(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.embed, self.rnn = nn.Embedding(9, 256), nn.GRU(256, 256, batch_first=True)
        self.conv = nn.Conv1d(256, 512, 3, groups=4)
        self.fc = nn.utils.parametrizations.weight_norm(nn.Linear(512, 9))

    def forward(self, tokens):
        seen, _ = self.rnn(self.embed(tokens))
        return self.fc(self.conv(seen.transpose(1, 2)).transpose(1, 2))


def test_theory_has_the_bias_and_the_groups_of_a_convolution_and_is_silent_elsewhere():
    layers = {
        one.layer.name: one for one in probe(Odd(), torch.arange(36).reshape(4, 9) % 9).weighted
    }
    assert {name for name, one in layers.items() if one.predicted is not None} == {"conv"}
    assert layers["conv"].forward == pytest.approx(layers["conv"].predicted, rel=0.1)


def test_theory_predicts_what_is_measured_in_a_wide_network():
    width, depth = 512, 12
    report = probe(
        mlp(nn.GELU, depth=depth, scale=1.3, width=width), batch(width, 128), "cross_entropy"
    )
    theory = predicted(Activation.GELU, 1.69, 1.0, depth)
    for seen, (variance, _) in zip(report.weighted, theory, strict=False):
        assert seen.variance == pytest.approx(variance, rel=0.35)
    ratio = (report.weighted[depth - 1].variance / report.weighted[0].variance) ** (1 / (depth - 1))
    assert ratio == pytest.approx((theory[-1][0] / theory[0][0]) ** (1 / (depth - 1)), rel=0.1)


ACTIVATIONS = (
    nn.Tanh,
    nn.Sigmoid,
    nn.ReLU,
    nn.LeakyReLU,
    nn.ELU,
    nn.SELU,
    nn.GELU,
    nn.SiLU,
    nn.Softsign,
)


def variances(activation, weight, depth):
    """Return the variance of each layer's output in the limit of wide layers (Poole et al. 2016)."""
    z = torch.linspace(-9, 9, 4001, dtype=torch.double)
    chance = torch.exp(-z.square() / 2) / z.square().neg().div(2).exp().sum()
    found = [weight]
    for _ in range(depth - 1):
        made = activation()(math.sqrt(found[-1]) * z)
        found.append(weight * float((chance * made.square()).sum()))
    return found


@pytest.mark.parametrize("weight", [1 / 3, 2.0])  # torch, He; bench/probe_speed.py has the others
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_fifty_layers_of_each_activation_and_initialisation_are_as_theory_has_them(
    activation, weight
):
    depth = 50
    model = mlp(activation, depth=depth, scale=math.sqrt(weight), width=128)
    report = probe(model, batch(128), remedy=False, select=["poor-initial-scale"])
    theory = variances(activation, weight, depth)
    seen = [
        (expected, one)
        for expected, one in zip(theory, report.weighted, strict=False)
        if expected > 1e-35  # float32 ends at 1e-38
    ]
    (first, start), (last, end) = seen[0], seen[-1]
    steps = max(len(seen) - 1, 1)
    ratio = (end.variance / start.variance) ** (1 / steps)
    assert ratio == pytest.approx((last / first) ** (1 / steps), rel=0.1)
    assert all(one.predicted == pytest.approx(weight, rel=0.04) for _, one in seen)


def test_a_rectifier_halves_the_mean_square():
    assert moments(Activation.RELU, 4.0) == pytest.approx((2.0, 0.5), rel=1e-3)


class Routed(nn.Module):
    """Sends each example to one of many experts, as most are not chosen in a small batch."""

    def __init__(self, *, is_masked) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.first, self.gate, self.last = nn.Linear(8, 16), nn.Linear(16, 12), nn.Linear(16, 3)
        self.experts = nn.ModuleList(nn.Linear(16, 16) for _ in range(12))
        self.is_masked = is_masked

    def forward(self, x):
        hidden = torch.tanh(self.first(x))
        weight, chosen = self.gate(hidden).softmax(-1).max(-1)
        made = torch.zeros_like(hidden)
        for number, expert in enumerate(self.experts):
            mine = chosen == number
            if self.is_masked:
                made = made + (weight * mine)[:, None] * expert(hidden)
            elif mine.any():
                made[mine] = weight[mine, None] * expert(hidden[mine])
        return self.last(hidden + made)


@pytest.mark.parametrize("is_masked", [True, False])
def test_experts_that_no_example_was_sent_to_are_listed_but_no_defect(is_masked):
    report = probe(
        Routed(is_masked=is_masked), (torch.eye(8), torch.arange(8) % 3), "cross_entropy"
    )
    assert any(one.startswith("experts.") for one in report.without_gradient)
    assert "no-gradient" not in names(report)


@pytest.mark.filterwarnings("ignore::FutureWarning")
@pytest.mark.parametrize(
    "normalised", [nn.utils.parametrizations.weight_norm, nn.utils.weight_norm]
)
def test_a_weight_normalisation_is_measured_and_initialised_with_its_lengths(normalised):
    model = mlp(scale=0.05, depth=3, width=64)
    for at in (0, 2, 4):
        normalised(model[at])
    before = copy.deepcopy(model.state_dict())
    report = probe(model, batch(64), "cross_entropy")
    assert {one.layer.what for one in report.weighted} == {"Linear 64→64", "Linear 64→10"}
    assert all(one.layer.fan_in == 64 for one in report.weighted)
    assert report.effect is not None
    assert report.effect.before.forward < 1e-5
    assert 0.1 < report.effect.after.forward < 10
    assert all(torch.equal(one, before[name]) for name, one in model.state_dict().items())


class Named(NamedTuple):
    logits: torch.Tensor
    constant: torch.Tensor


class ReturnsNamed(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.fc, self.free = nn.Linear(8, 3), nn.Parameter(torch.ones(3))

    def forward(self, x):
        return Named(self.fc(x), self.free.expand(len(x), 3))


def test_the_parts_of_a_named_tuple_are_called_by_their_names():
    report = probe(ReturnsNamed(), torch.randn(16, 8))
    assert report.output_rms
    assert report.independent == ("output.constant",)


class Computes(nn.Module):
    """Returns its loss, or several in a mapping, as detectors of objects do."""

    def __init__(self, *, is_mapping) -> None:
        super().__init__()
        self.fc, self.box, self.is_mapping = nn.Linear(8, 3), nn.Linear(8, 4), is_mapping

    def forward(self, x, y):
        loss = nn.functional.cross_entropy(self.fc(x), y)
        other = self.box(x).square().mean()
        return {"classes": loss, "boxes": other} if self.is_mapping else loss + other


@pytest.mark.parametrize("is_mapping", [True, False])
def test_a_model_that_returns_nothing_but_its_loss_is_measured_by_it(is_mapping):
    model, x, y = Computes(is_mapping=is_mapping), torch.randn(16, 8), torch.arange(16) % 3
    with torch.no_grad():
        made = model(x, y)
    report = probe(model, (x, y))
    assert report.loss == pytest.approx(float(sum(made.values()) if is_mapping else made))
    assert not report.notes


class Acts(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.policy, self.value = nn.Linear(8, 3), nn.Linear(8, 1)

    def forward(self, x):
        return torch.distributions.Categorical(logits=self.policy(x)), self.value(x)


def test_what_nobody_can_look_into_is_said_and_its_layers_are_not_called_cut_off():
    report = probe(Acts(), torch.randn(16, 8))
    assert not report.diagnoses
    assert any("`Categorical`" in one for one in report.notes)


def test_gradients_that_end_by_rounding_are_vanishing_ones():
    report = probe(mlp(depth=150, width=16), batch(16), "cross_entropy", remedy=False)
    assert "0.weight" in report.without_gradient
    assert names(report) == {"vanishing-gradient"}


class Hides(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.body, self.head = nn.Linear(8, 8), nn.Linear(8, 3)

    def forward(self, x):
        return self.head(checkpoint(self.body, x, use_reentrant=True))


def test_layers_that_cannot_be_seen_to_run_are_said():
    report = probe(Hides(), torch.randn(16, 8, requires_grad=True))
    assert [one.layer.name for one in report.weighted] == ["head"]
    assert any(one.startswith("`body` cannot be seen to run") for one in report.notes)


def test_a_loader_draws_the_same_after_it_was_probed():
    data = torch.utils.data.TensorDataset(torch.randn(32, 8), torch.arange(32) % 3)
    own = torch.Generator().manual_seed(5)
    loader = torch.utils.data.DataLoader(data, batch_size=16, shuffle=True, generator=own)
    state = own.get_state()
    assert probe(nn.Linear(8, 3), loader, "cross_entropy").batch_size == 16
    assert torch.equal(own.get_state(), state)


@pytest.mark.parametrize("shape", [(16,), (4, 5)])
def test_a_likelihood_of_what_is_no_logarithm_is_not_compared_with_a_guess(shape):
    x, y = torch.randn(*shape, 8), torch.zeros(shape, dtype=torch.long)
    raw = probe(nn.Linear(8, 3), (x, y), "nll")
    assert (raw.expected_loss, raw.diagnoses) == (None, ())
    logs = probe(nn.Sequential(nn.Linear(8, 3), nn.LogSoftmax(-1)), (x, y), "nll")
    assert logs.expected_loss == pytest.approx(math.log(3))


def test_a_bias_whose_gradient_cancels_out_is_not_said_to_be_cut_off():
    model = nn.Linear(8, 4)
    nn.init.zeros_(model.bias)
    nn.init.constant_(model.weight, 1e-30)
    report = probe(model, (torch.randn(16, 8), torch.arange(16) % 4), "cross_entropy")
    assert report.signals["gradient_max"]["bias"] == 0
    assert report.without_gradient == ()


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_part_that_torchscript_has_compiled_is_measured_around():
    inner = torch.jit.script(nn.Sequential(nn.Linear(8, 8), nn.BatchNorm1d(8), nn.ReLU()))
    model = nn.Sequential(inner, nn.Linear(8, 3))
    before = copy.deepcopy(model.state_dict())
    report = probe(model, (torch.randn(16, 8), torch.arange(16) % 3), "cross_entropy", remedy=True)
    assert [one.layer.name for one in report.weighted][-1] == "1"
    assert any(one.startswith("`0.0` cannot be seen to run") for one in report.notes)
    assert all(torch.equal(one, before[name]) for name, one in model.state_dict().items())


def test_weights_that_are_not_finite_from_the_start_are_named():
    model = mlp(depth=3, width=16)
    nn.init.constant_(model[2].weight, math.nan)
    report = probe(model, batch(16), "cross_entropy")
    assert report.notes[0] == "`2.weight` is NaN or infinite before anything has run"
    assert names(report) <= {"non-finite-loss", "non-finite-activation"}
    assert report.effect is not None
    assert report.effect.after.diagnoses == ()


class Writes(nn.Module):
    """Writes to what it is given."""

    def __init__(self) -> None:
        super().__init__()
        self.fc = nn.Linear(8, 3)

    def forward(self, x, same):
        assert x is same
        with torch.no_grad():
            x.mul_(3)
        return self.fc(x)


def test_the_batch_is_left_as_it_was_and_each_pass_is_given_the_same():
    x = torch.randn(16, 8, requires_grad=True)
    before = x.detach().clone()
    report = probe(Writes(), (x, x), remedy=True, seeds=2)
    assert torch.equal(x, before)
    assert x.grad is None
    low, high = report.weighted[0].spread
    assert low == high


def test_a_rule_that_is_not_known_is_said_to_be_given_to_the_probe():
    with pytest.raises(UserError, match=r"^probe: select: .*`nope`"):
        probe(nn.Linear(4, 4), torch.randn(4, 4), select=["nope"])


class Auxiliary(nn.Module):
    """Has a head beside the one that a loss with a name is of, and a layer that is really cut off."""

    def __init__(self) -> None:
        super().__init__()
        self.body, self.head, self.beside = nn.Linear(8, 8), nn.Linear(8, 3), nn.Linear(8, 3)
        self.cut = nn.Linear(8, 8)

    def forward(self, x):
        hidden = torch.tanh(self.body(x) + self.cut(x).detach())
        return [self.head(hidden), self.beside(hidden)]


def test_a_head_that_the_loss_is_not_of_is_not_cut_off():
    report = probe(Auxiliary(), (torch.randn(16, 8), torch.arange(16) % 3), "cross_entropy")
    assert report.without_gradient == ("cut.weight", "cut.bias")
    assert "the loss is that of the first of 2 outputs" in report.notes
    (found,) = report.diagnoses
    assert "`cut.weight`" in found.message
    assert "other layers" not in found.message


class Grows(nn.Module):
    """Keeps a buffer that has no size yet, as an observer of a quantisation does."""

    seen: torch.Tensor

    def __init__(self) -> None:
        super().__init__()
        self.fc = nn.Linear(8, 3)
        self.register_buffer("seen", torch.empty(0))

    def forward(self, x):
        made = self.fc(x)
        self.seen.resize_(3).copy_(made.detach().amax(0))
        return made


def test_a_buffer_that_grows_has_the_size_of_before():
    model = Grows()
    probe(model, torch.randn(16, 8), remedy=True)
    assert model.seen.shape == (0,)


class Mapped(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.fc = nn.Linear(8, 3)

    def forward(self, x):
        return torch.vmap(self.fc)(x)


def test_what_runs_inside_of_vmap_is_said_to_be_missing():
    report = probe(Mapped(), torch.randn(16, 8))
    assert any(one.startswith("`fc` cannot be seen to run") for one in report.notes)


def test_a_sparse_embedding_beside_zeros_is_measured():
    torch.manual_seed(0)
    head = nn.Linear(64, 3)
    nn.init.zeros_(head.weight)
    model = nn.Sequential(nn.Embedding(20, 16, sparse=True), nn.Flatten(), head)
    report = probe(model, (torch.randint(20, (8, 4)), torch.arange(8) % 3), "cross_entropy")
    assert not report.without_gradient
    assert "`2.weight` start at 0" in report.notes[0]


def test_a_target_may_hold_the_share_of_each_class():
    torch.manual_seed(0)
    images, shares = torch.randn(4, 8, 7), torch.softmax(torch.randn(4, 5, 7), 1)
    model = nn.Conv1d(8, 5, 1)
    wanted = nn.functional.cross_entropy(model(images), shares).item()
    assert probe(model, (images, shares), "cross_entropy").loss == pytest.approx(wanted)


def test_a_target_that_was_made_for_inference_is_one():
    with torch.inference_mode():
        target = torch.arange(8) % 3
    assert probe(nn.Linear(4, 3), (torch.randn(8, 4), target), "cross_entropy").loss
