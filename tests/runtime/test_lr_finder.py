"""A search for a learning rate suggests one that trains, and leaves everything as it was."""

from __future__ import annotations

import copy
import math
import random
from pathlib import Path
from runpy import run_path

import pytest
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from trainlint.core.errors import UserError
from trainlint.output.lr_text import lines
from trainlint.runtime.lr_finder import LRReport, find_lr

OPTIMIZERS = {
    "sgd": lambda some: torch.optim.SGD(some, 0.1, momentum=0.9),
    "adamw": torch.optim.AdamW,
    "rmsprop": torch.optim.RMSprop,
}


def find(*args, **options):
    return find_lr(*args, progress=False, **options)


def setup(make=OPTIMIZERS["sgd"]):
    torch.manual_seed(0)
    x = torch.randn(256, 8)
    y = (x @ torch.randn(8, 3)).argmax(1)
    model = nn.Sequential(nn.Linear(8, 32), nn.BatchNorm1d(32), nn.ReLU(), nn.Linear(32, 3))
    generator = torch.Generator().manual_seed(3)
    loader = DataLoader(TensorDataset(x, y), 32, shuffle=True, generator=generator)
    return model, make(model.parameters()), nn.CrossEntropyLoss(), loader


def final(rate):
    model, optimizer, loss, loader = setup(lambda some: torch.optim.SGD(some, rate))
    for _ in range(5):
        for x, y in loader:
            optimizer.zero_grad()
            value = loss(model(x), y)
            value.backward()
            optimizer.step()
    return value.item()


@pytest.mark.parametrize("method", ["sweep", "divide"])
def test_the_suggestion_trains_better_than_a_hundredth_of_it(method):
    report = find(*setup(lambda some: torch.optim.SGD(some, 0.1)), method=method)
    assert report.suggestion is not None
    assert final(report.suggestion) < 0.7 * final(report.suggestion / 100)


@pytest.mark.parametrize("name", OPTIMIZERS)
@pytest.mark.parametrize("method", ["sweep", "divide"])
@pytest.mark.parametrize("is_used", [True, False])
def test_everything_is_restored_to_the_bit(name, method, is_used):
    model, optimizer, loss, loader = setup(OPTIMIZERS[name])
    scheduler = torch.optim.lr_scheduler.StepLR(optimizer, 10)
    if is_used:
        loss(model(torch.randn(32, 8)), torch.randint(3, (32,))).backward()
        optimizer.step()
        scheduler.step()
    model.eval()
    before = copy.deepcopy((model.state_dict(), optimizer.state_dict(), scheduler.state_dict()))
    grads = [one.grad for one in model.parameters()]
    drawn, torch_state, python = (
        loader.generator.get_state(),
        torch.get_rng_state(),
        random.getstate(),
    )
    marks = set(vars(optimizer))
    find(model, optimizer, loss, loader, method=method, steps=20)
    now = (model.state_dict(), optimizer.state_dict(), scheduler.state_dict())
    assert all(torch.equal(one, before[0][key]) for key, one in now[0].items())
    torch.testing.assert_close(now[1], before[1], rtol=0, atol=0)
    assert now[2] == before[2]
    assert all(one.grad is was for one, was in zip(model.parameters(), grads, strict=True))
    assert torch.equal(loader.generator.get_state(), drawn)
    assert torch.equal(torch.get_rng_state(), torch_state)
    assert random.getstate() == python
    assert not model.training
    assert set(vars(optimizer)) == marks


def test_groups_keep_the_ratio_of_their_rates():
    model, _, loss, loader = setup()
    optimizer = torch.optim.SGD([
        {"params": model[0].parameters(), "lr": 0.01},
        {"params": model[3].parameters(), "lr": 0.1},
    ])  # fmt: skip
    seen = []
    optimizer.register_step_pre_hook(
        lambda one, *_: seen.append([group["lr"] for group in one.param_groups])
    )
    report = find(model, optimizer, loss, loader, steps=10)
    assert all(first == pytest.approx(last / 10) for first, last in seen)
    assert seen[0][1] == pytest.approx(report.rates[0])


def test_a_loss_that_is_not_finite_ends_the_search_at_once():
    model, optimizer, _, loader = setup()
    calls = []

    def loss(output, target):
        calls.append(1)
        value = nn.functional.cross_entropy(output, target)
        return value * math.nan if len(calls) == 7 else value

    report = find(model, optimizer, loss, loader, confirm=False)
    assert (len(calls), report.steps) == (7 + 1, 6)  # once more, before any step: is it the batch?
    assert report.divergence is not None


def test_what_a_sweep_suggests_is_confirmed_by_training_from_the_same_weights():
    made = setup(lambda some: torch.optim.SGD(some, 0.1))
    alone = find(*made, confirm=False)
    report = find(*made)
    assert alone.trials == ()
    assert alone.steps <= 100
    rates, losses = zip(*report.trials, strict=True)
    assert rates == pytest.approx([rates[0] * 3**at for at in range(len(rates))])
    assert any(one == pytest.approx(alone.suggestion) for one in rates)
    lowest = losses.index(min(losses))
    assert 0 < lowest < len(rates) - 1
    assert report.suggestion == rates[lowest]
    assert (report.rates, report.steepest) == (alone.rates, alone.steepest)
    assert alone.steps + 100 < report.steps <= alone.steps + 100 * len(rates)
    assert final(report.suggestion) <= 1.1 * min(final(one) for one in (rates[0], rates[-1]))


def test_a_rate_at_which_most_batches_fit_and_some_do_not_is_too_high():
    torch.manual_seed(0)
    x = torch.randn(512, 20)
    y = (x[:, :1] + 0.3 * torch.randn(512, 1) > 0).float()
    model = nn.Linear(20, 1)
    loader = DataLoader(TensorDataset(x, y), 8)
    report = find(
        model, torch.optim.SGD(model.parameters(), 0.1, momentum=0.9), "bce_with_logits", loader
    )
    assert report.suggestion < 1
    assert report.trials[-1][1] > report.trials[-2][1]


def test_a_loss_below_zero_does_not_look_like_one_that_diverges():
    model, optimizer, _, loader = setup(lambda some: torch.optim.SGD(some, 0.1))

    def loss(output, target):
        return nn.functional.cross_entropy(output, target) - 5

    report = find(model, optimizer, loss, loader)
    assert len(report.rates) > 60
    assert final(report.suggestion) < 0.7 * final(report.suggestion / 100)


def test_divide_suggests_half_of_the_largest_rate_that_converges():
    made = setup(lambda some: torch.optim.SGD(some, 0.1))
    report = find(*made, method="divide", largest=1e4, confirm=False)
    assert report.rates[0] == 1e4
    assert report.rates[1] == pytest.approx(1e4 / 3)
    assert all(math.isinf(one) for one in report.losses[:-1])
    assert report.suggestion == report.rates[-1] / 2
    assert report.divergence == pytest.approx(report.rates[-1] * 3)


def test_a_rate_at_which_the_loss_only_does_not_fall_is_not_said_to_diverge():
    model = nn.Linear(4, 2)
    nn.init.zeros_(model.weight)
    nn.init.zeros_(model.bias)
    loader = [(torch.randn(16, 4), torch.arange(16) % 2) for _ in range(50)]
    optimizer = torch.optim.SGD(model.parameters(), 0.1)
    report = find(model, optimizer, "cross-entropy", loader, method="divide", largest=0.3)
    assert report.start == pytest.approx(math.log(2))
    assert report.divergence is None
    assert math.log(2) < report.losses[0] < 1
    assert f"  0.3      {report.losses[0]:.3g} (does not fall)" in str(report)


def test_what_divide_suggests_is_confirmed_as_a_model_that_never_diverges_needs():
    made = setup()  # with batch normalisation
    alone = find(*made, method="divide", largest=30.0, confirm=False)
    report = find(*made, method="divide", largest=30.0)
    rates, losses = zip(*report.trials, strict=True)
    lowest = losses.index(min(losses))
    assert report.rates == alone.rates
    assert report.rates[-1] / 2 == alone.suggestion
    assert report.suggestion < alone.suggestion
    assert losses[lowest] < losses[rates.index(alone.suggestion)]
    assert report.suggestion == rates[lowest]
    assert report.steps > alone.steps
    assert "half of the largest that converges" in str(report)


class Stateful:
    """A loader that knows its place, as those of torchdata do."""

    def __init__(self) -> None:
        self.at = 3

    def state_dict(self):
        return {"at": self.at}

    def load_state_dict(self, state):
        self.at = state["at"]

    def __iter__(self):
        while self.at < 20:
            self.at += 1
            yield torch.randn(8, 8), torch.randint(3, (8,))
        self.at = 0


def test_a_loader_that_knows_its_place_is_put_back():
    model, optimizer, loss, _ = setup()
    loader = Stateful()
    find(model, optimizer, loss, loader, steps=30)
    assert loader.at == 3


def test_a_bar_shows_how_far_it_is(capsys):
    find_lr(*setup(), steps=10, progress=True)
    shown = capsys.readouterr().err
    assert "[##############################] 10/10" in shown
    assert "10 steps at" in shown
    assert shown.endswith("\n")
    find_lr(*setup(), steps=10, progress=False)
    assert capsys.readouterr().err == ""


def test_accumulation_and_mixed_precision_are_heeded():
    model, optimizer, loss, loader = setup()
    scaler = torch.amp.GradScaler("cpu")
    report = find(
        model,
        optimizer,
        loss,
        loader,
        accumulate=2,
        autocast=torch.bfloat16,
        scaler=scaler,
        steps=30,
    )
    assert report.steps > 10
    assert scaler.get_scale() == 65536


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"loader": iter([1, 2])}, "gone through once"),
        ({"loader": []}, "no batches"),
        ({"loss": lambda o, _: o.detach().sum()}, "no graph"),
        ({"model": nn.ReLU()}, "no parameter"),
    ],
)
def test_what_cannot_be_tried_is_said_in_one_line(changed, said):
    given = dict(zip(("model", "optimizer", "loss", "loader"), setup(), strict=True)) | changed
    with pytest.raises(UserError, match=said):
        find(*given.values())


def test_a_method_that_is_not_there_is_said_with_the_one_that_is_meant():
    with pytest.raises(UserError, match=r"`swepe`; did you mean `sweep`\?"):
        find(*setup(), method="swepe")


def test_the_report_is_a_curve_with_its_suggestion_and_the_trials():
    report = find(*setup())
    text = str(report)
    assert "●" in text
    assert f"suggested learning rate: {report.suggestion:.2g}" in text
    assert "trained for some steps from the same weights, whose loss is 1." in text
    rows = text.partition("whose loss is")[2].splitlines()[1 : len(report.trials) + 1]
    assert [f"{rate:.2g}" for rate, _ in report.trials] == [row.split()[0] for row in rows]


@pytest.mark.parametrize("width", [40, 60, 80])
def test_no_line_of_the_report_is_longer_than_the_terminal_is_wide(width):
    report = LRReport(
        "sweep", (1e-7, 1e-4, 0.1), (2.0, 1.0, 9.0), 1e-4, 3e-5, 0.1,
        notes=("the loss falls no further than it differs by chance: more steps tell more",),
        trials=((1e-5, 2.5), (1e-4, 0.5), (1e-3, math.inf)),
        start=2.0,
    )  # fmt: skip
    shown = list(lines(report, width))
    assert max(map(len, shown)) <= width
    assert any(set(one[11:]) == {"─"} and len(one) == width for one in shown)
    assert "  1e-05    2.5 (does not fall)" in shown
    assert "  0.0001   0.5" in shown
    assert "  0.001    diverges" in shown


def test_of_many_trials_those_near_the_suggestion_are_told():
    trials = tuple((10.0**-at, 1.0) for at in range(30, 0, -1))
    report = LRReport("sweep", (1e-7,), (2.0,), 1e-5, trials=trials, start=2.0)
    told = [one.split()[0] for one in lines(report) if one.startswith("  1e-")]
    assert told == ["1e-07", "1e-10", "1e-09", "1e-08", "1e-07", "1e-06", "1e-05"]


def test_the_divergence_is_the_smallest_that_was_seen_in_sweep_and_trials():
    path = Path(__file__).parents[2] / "examples" / "before_training.py"
    torch.manual_seed(0)
    setup_of_example = run_path(str(path))["setup"]
    report = find(*setup_of_example())
    alone = find(*setup_of_example(), confirm=False)
    diverging = [rate for rate, level in report.trials if math.isinf(level)]
    assert alone.divergence is not None
    assert report.divergence == min(diverging) < alone.divergence


def test_a_range_of_hardly_more_than_one_rate_has_a_suggestion():
    report = find(*setup(), method="divide", smallest=0.01, largest=0.012, steps=30)
    assert report.suggestion == 0.01
    assert "does not fall" not in " ".join(report.notes)


def test_an_optimizer_that_needs_a_closure_is_refused_with_a_scaler():
    model, _, loss, loader = setup()
    optimizer = torch.optim.LBFGS(model.parameters(), lr=0.1)
    scaler = torch.amp.GradScaler("cpu")
    with pytest.raises(UserError, match="`LBFGS` needs a closure, and a GradScaler gives it none"):
        find(model, optimizer, loss, loader, scaler=scaler)
