"""A search makes the steps of trainings in many styles, and says in one line which it cannot make."""

from __future__ import annotations

import math

import pytest
import torch
from torch import nn
from torch.utils.data import DataLoader, IterableDataset, TensorDataset

import trainlint
from trainlint.core.errors import UserError
from trainlint.runtime.trials.stepping import Stepper

cross_entropy = nn.functional.cross_entropy


@pytest.fixture(autouse=True)
def seeded():
    torch.manual_seed(0)


def data(count=64):
    x = torch.randn(count, 6)
    return x, (x @ torch.randn(6, 3)).argmax(1)


class Two(nn.Module):
    """Takes two inputs, and computes its loss where it is given labels."""

    def __init__(self) -> None:
        super().__init__()
        self.fc = nn.Linear(6, 3)

    def forward(self, x, mask, labels=None):
        logits = self.fc(x * mask)
        return logits if labels is None else cross_entropy(logits, labels)


def falls(model, optimizer, loss, loader, steps=60):
    """Say whether the loss falls in some steps at the rate of the optimizer."""
    stepper = Stepper(model, optimizer, loss, loader)
    losses = [stepper.step() for _ in range(steps)]
    return sum(losses[-5:]) < 0.9 * sum(losses[:5])


def sgd(model, rate=0.5):
    return torch.optim.SGD(model.parameters(), rate)


class Stream(IterableDataset):
    def __init__(self, rows) -> None:
        self.rows = rows

    def __iter__(self):
        return iter(self.rows)


class Anew:
    """An iterator of the user's that begins anew each time it is gone through."""

    def __init__(self, batches) -> None:
        self.batches = batches
        self.at = 0

    def __iter__(self):
        self.at = 0
        return self

    def __next__(self):
        if self.at == len(self.batches):
            raise StopIteration
        self.at += 1
        return self.batches[self.at - 1]


def batches_of(x, y, size=16):
    return [(x[at : at + size], y[at : at + size]) for at in range(0, len(x), size)]


STYLES = {
    "nested": lambda x, y: (Two(), cross_entropy, [((x, torch.ones(6)), y)]),
    "names inside": lambda x, y: (Two(), cross_entropy, [({"x": x, "mask": torch.ones(6)}, y)]),
    "own loss": lambda x, y: (Two(), None, [(x, torch.ones(6), y)]),
    "own loss by name": lambda x, y: (Two(), None, [{"x": x, "mask": torch.ones(6), "labels": y}]),
    "loss in a dict": lambda x, y: (
        nn.Linear(6, 3),
        lambda o, t: {"loss": cross_entropy(o, t), "accuracy": 0.5},
        [(x, y)],
    ),
    "loss with more": lambda x, y: (
        nn.Linear(6, 3),
        lambda o, t: (cross_entropy(o, t), o),
        [(x, y)],
    ),
    "autoencoder": lambda x, _: (
        nn.Sequential(nn.Linear(6, 4), nn.Linear(4, 6)),
        nn.MSELoss(),
        DataLoader(x, 16, shuffle=True),
    ),
    "autoencoder by name": lambda x, _: (
        nn.Sequential(nn.Linear(6, 4), nn.Linear(4, 6)),
        "mse",
        DataLoader(TensorDataset(x), 16),
    ),
    "function": lambda x, y: (
        nn.Linear(6, 3),
        "cross-entropy",
        lambda: (one for one in batches_of(x, y)),
    ),
    "iterator": lambda x, y: (nn.Linear(6, 3), "cross-entropy", Anew(batches_of(x, y))),
    "stream": lambda x, y: (
        nn.Linear(6, 3),
        "cross-entropy",
        DataLoader(Stream(list(zip(x, y, strict=True))), 16),
    ),
}


@pytest.mark.parametrize("style", STYLES)
def test_trainings_of_many_styles_are_made(style):
    model, loss, loader = STYLES[style](*data())
    assert falls(model, sgd(model), loss, loader)


class Sharp(torch.optim.Optimizer):
    """Needs a closure, and says so only when it is without."""

    def __init__(self, parameters) -> None:
        super().__init__(parameters, {"lr": 0.5})

    def step(self, closure=None):
        if closure is None:
            msg = "needs a closure"
            raise RuntimeError(msg)
        loss = closure()
        with torch.no_grad():
            for one in self.param_groups[0]["params"]:
                one.sub_(self.param_groups[0]["lr"] * one.grad)
        return loss


OPTIMIZERS = {
    "LBFGS": lambda some: torch.optim.LBFGS(some, 0.1, max_iter=3),
    "with a line search": lambda some: torch.optim.LBFGS(some, line_search_fn="strong_wolfe"),
    "own": Sharp,
}


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_an_optimizer_that_needs_a_closure_is_given_one(name):
    model = nn.Linear(6, 3)
    assert falls(model, OPTIMIZERS[name](model.parameters()), "cross-entropy", [data()], steps=10)


def test_an_error_of_the_optimizer_itself_is_its_own():
    class Fails(Sharp):
        def step(self, closure=None):
            del closure
            msg = "of its own"
            raise RuntimeError(msg)

    model = nn.Linear(6, 3)
    with pytest.raises(RuntimeError, match="of its own"):
        Stepper(model, Fails(model.parameters()), "cross-entropy", [data()]).step()


def test_an_accumulated_step_with_a_closure_sees_all_its_batches():
    x, y = data()
    made = []
    for batches, accumulate in ([(x, y)], 1), (batches_of(x, y), 4):
        torch.manual_seed(1)
        model = nn.Linear(6, 3)
        optimizer = torch.optim.LBFGS(model.parameters(), 0.1, max_iter=3)
        Stepper(model, optimizer, "cross-entropy", batches, accumulate=accumulate).step()
        made.append(model.weight.detach())
    torch.testing.assert_close(*made)


def test_an_optimizer_that_maximises_is_given_a_rate_at_which_the_loss_rises():
    x, y = data()
    model = nn.Linear(6, 3)
    optimizer = torch.optim.SGD(model.parameters(), 0.1, maximize=True)
    report = trainlint.find_lr(
        model, optimizer, lambda o, t: -cross_entropy(o, t), [(x, y)], progress=False
    )
    assert report.suggestion is not None
    assert report.suggestion > 0.1
    assert "maximises" in report.notes[-1]


def test_groups_keep_their_ratio_where_a_warm_up_begins_with_nothing():
    model = nn.Sequential(nn.Linear(6, 8), nn.Linear(8, 3))
    groups = [
        {"params": model[0].parameters(), "lr": 0.01},
        {"params": model[1].parameters(), "lr": 0.1},
    ]
    optimizer = torch.optim.SGD(groups)
    torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: step / 10)
    assert [group["lr"] for group in optimizer.param_groups] == [0, 0]
    Stepper(model, optimizer, "cross-entropy", [data()]).set_rate(1.0)
    assert [group["lr"] for group in optimizer.param_groups] == pytest.approx([0.1, 1.0])


def test_a_part_that_is_frozen_in_evaluation_stays_so():
    model = nn.Sequential(nn.Linear(6, 4), nn.BatchNorm1d(4), nn.Linear(4, 3))
    model[1].eval()
    modes = set()
    model[1].register_forward_hook(lambda norm, *_: modes.add(norm.training))
    given = model, sgd(model), "cross-entropy", batches_of(*data())
    trainlint.find_lr(*given, progress=False, steps=10)
    trainlint.find_batch_size(*given, progress=False, pairs=2, limit=32)
    assert modes == {False}


def own(**changed):
    x, y = data()
    model = changed.pop("model", nn.Linear(6, 3))
    given = {"model": model, "optimizer": sgd(model), "loss": "nll", "loader": [(x, y)]}
    return given | changed


CANNOT = {
    "no parameter of `Linear`": lambda: own(optimizer=sgd(nn.Linear(6, 3))),
    "returns no loss of its own": lambda: own(loss=None),
    "no targets for the loss `nll`": lambda: own(loader=[data()[0]]),
    "is of type `int`, which gives no batches": lambda: own(loader=3),
    "gives single examples: give a DataLoader": lambda: own(loader=TensorDataset(*data())),
    "gone through again": lambda: own(
        loader=DataLoader(Stream(iter(list(zip(*data(), strict=True)))), 16)
    ),
    "give the function that makes it": lambda: own(loader=iter([data()])),
    "has lazy layers": lambda: own(
        model=nn.LazyLinear(3), optimizer=torch.optim.SGD([torch.zeros(1)], 0.1)
    ),
    "takes other arguments than output and target": lambda: own(loss=nn.TripletMarginLoss()),
    "the loss is of type `int`": lambda: own(loss=3),
    "the optimizer is of type `MSELoss`": lambda: own(optimizer=nn.MSELoss()),
    "no loss is called `nlll`; did you mean `nll`": lambda: own(loss="nlll"),
}


@pytest.mark.parametrize("said", CANNOT)
def test_what_cannot_be_stepped_is_said_in_one_line(said):
    with pytest.raises(UserError) as error:
        trainlint.find_lr(**CANNOT[said](), progress=False)
    assert said in str(error.value)
    assert "\n" not in str(error.value)


def test_a_rate_that_cannot_be_set_is_said():
    given = own()
    given["optimizer"].param_groups[0]["lr"] = None
    with pytest.raises(UserError, match="`SGD` has no learning rate"):
        trainlint.find_lr(**given, progress=False)


@pytest.mark.parametrize("given", ["bfloat61", "nn", 16])
def test_a_type_of_mixed_precision_that_is_none_is_said(given):
    with pytest.raises(UserError, match=f"autocast: expects a type such as .*, not `{given}`"):
        trainlint.find_lr(**own(loss="cross-entropy"), autocast=given, progress=False)


@pytest.mark.parametrize("what", ["the batch", "the weights"])
@pytest.mark.parametrize("method", ["sweep", "divide"])
def test_not_a_rate_is_blamed_for_a_loss_that_is_not_finite_before_any_step(what, method):
    x, y = data()
    model = nn.Linear(6, 3)
    if what == "the batch":
        x[40] = math.nan
    else:
        with torch.no_grad():
            model.weight[0, 0] = math.inf
    with pytest.raises(UserError, match=f"not finite before any step, so no rate helps: .*{what}"):
        trainlint.find_lr(
            model, sgd(model), "cross-entropy", batches_of(x, y), method=method, progress=False
        )
