"""Whether a suggested learning rate is a good one: six problems, trained at it and at rates around it.

How to run: python bench/lr_suggestions.py [--method sweep,divide] [--steps 200]

Each problem is trained from the same weights at a tenth, a third, one time, three and ten times the
suggestion. A suggestion is good where its final loss is the lowest or within 10 % of it. Peers that are
installed (torch-lr-finder) are asked in the same way.
"""

from __future__ import annotations

import argparse
import math
import sys
from importlib import import_module
from importlib.util import find_spec
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from trainlint.runtime.lr_finder import find_lr

if TYPE_CHECKING:
    from collections.abc import Callable

FACTORS: Final = (0.1, 1 / 3, 1.0, 3.0, 10.0)
Problem = tuple[nn.Module, Any, Any, Any]


def _loader(inputs: torch.Tensor, targets: torch.Tensor, size: int = 64) -> Any:
    generator = torch.Generator().manual_seed(0)
    return DataLoader(
        TensorDataset(inputs, targets), size, shuffle=True, drop_last=True, generator=generator
    )


def _digits() -> tuple[torch.Tensor, torch.Tensor]:
    from sklearn.datasets import load_digits  # noqa: PLC0415

    found = load_digits()
    return torch.tensor(found.data / 16, dtype=torch.float32), torch.tensor(found.target)


def mlp() -> Problem:
    """Return a perceptron on digits, by SGD."""
    model = nn.Sequential(nn.Linear(64, 128), nn.ReLU(), nn.Linear(128, 10))
    return (
        model,
        torch.optim.SGD(model.parameters(), 0.1),
        nn.CrossEntropyLoss(),
        _loader(*_digits()),
    )


def cnn() -> Problem:
    """Return a convolutional network on digits, by SGD with momentum."""
    x, y = _digits()
    model = nn.Sequential(
        nn.Conv2d(1, 16, 3, padding=1), nn.BatchNorm2d(16), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(16, 32, 3, padding=1), nn.BatchNorm2d(32), nn.ReLU(), nn.Flatten(), nn.Linear(512, 10),
    )  # fmt: skip
    optimizer = torch.optim.SGD(model.parameters(), 0.1, momentum=0.9)
    return model, optimizer, nn.CrossEntropyLoss(), _loader(x.reshape(-1, 1, 8, 8), y)


class Rows(nn.Module):
    """Reads the rows of a digit one after the other."""

    def __init__(self) -> None:
        super().__init__()
        self.rnn, self.head = nn.LSTM(8, 48, batch_first=True), nn.Linear(48, 10)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Judge after the last row."""
        logits: torch.Tensor = self.head(self.rnn(x)[0][:, -1])
        return logits


def lstm() -> Problem:
    """Return an LSTM on the rows of digits, by Adam."""
    x, y = _digits()
    model = Rows()
    optimizer = torch.optim.Adam(model.parameters())
    return model, optimizer, nn.CrossEntropyLoss(), _loader(x.reshape(-1, 8, 8), y)


class Attends(nn.Module):
    """A transformer over the rows of a digit."""

    def __init__(self) -> None:
        super().__init__()
        self.into, self.head = nn.Linear(8, 32), nn.Linear(32, 10)
        self.place = nn.Parameter(0.02 * torch.randn(8, 32))
        layer = nn.TransformerEncoderLayer(32, 4, 64, 0.0, batch_first=True, norm_first=True)
        self.body = nn.TransformerEncoder(layer, 2, enable_nested_tensor=False)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Judge by the mean over the rows."""
        logits: torch.Tensor = self.head(self.body(self.into(x) + self.place).mean(1))
        return logits


def transformer() -> Problem:
    """Return a transformer on the rows of digits, by AdamW."""
    x, y = _digits()
    model = Attends()
    optimizer = torch.optim.AdamW(model.parameters())
    return model, optimizer, nn.CrossEntropyLoss(), _loader(x.reshape(-1, 8, 8), y)


def regression() -> Problem:
    """Return a linear regression whose features differ in scale by 30, by SGD."""
    x = torch.randn(2048, 20) * torch.logspace(-1.5, 0, 20)
    y = x @ torch.randn(20, 1) + 0.1 * torch.randn(2048, 1)
    model = nn.Linear(20, 1)
    return model, torch.optim.SGD(model.parameters(), 0.01), nn.MSELoss(), _loader(x, y)


def discriminator() -> Problem:
    """Return the discriminator of a GAN, digits against smooth noise, by Adam."""
    x, _ = _digits()
    noise = (torch.rand_like(x) * x.mean(0) * 2).clamp(0, 1)
    model = nn.Sequential(
        nn.Linear(64, 128),
        nn.LeakyReLU(0.2),
        nn.Linear(128, 64),
        nn.LeakyReLU(0.2),
        nn.Linear(64, 1),
    )
    labels = torch.cat([torch.ones(len(x), 1), torch.zeros(len(x), 1)])
    optimizer = torch.optim.Adam(model.parameters(), betas=(0.5, 0.999))
    return model, optimizer, nn.BCEWithLogitsLoss(), _loader(torch.cat([x, noise]), labels)


def autoencoder() -> Problem:
    """Return an autoencoder of digits, by Adam."""
    x, _ = _digits()
    model = nn.Sequential(
        nn.Linear(64, 64), nn.GELU(), nn.Linear(64, 12), nn.Linear(12, 64), nn.GELU(), nn.Linear(64, 64)
    )  # fmt: skip
    return model, torch.optim.Adam(model.parameters()), nn.MSELoss(), _loader(x, x)


class Residual(nn.Module):
    """A block of a convolutional network with a way around it."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(width, width, 3, padding=1), nn.BatchNorm2d(width), nn.ReLU(),
            nn.Conv2d(width, width, 3, padding=1), nn.BatchNorm2d(width),
        )  # fmt: skip

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Add to what comes in."""
        return torch.relu(x + self.body(x))


def residual() -> Problem:
    """Return a small ResNet on digits, by SGD with Nesterov's momentum and decay."""
    x, y = _digits()
    model = nn.Sequential(
        nn.Conv2d(1, 16, 3, padding=1), nn.ReLU(), Residual(16), nn.MaxPool2d(2), Residual(16),
        nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(16, 10),
    )  # fmt: skip
    some = model.parameters()
    optimizer = torch.optim.SGD(some, 0.1, momentum=0.9, weight_decay=5e-4, nesterov=True)
    return model, optimizer, nn.CrossEntropyLoss(), _loader(x.reshape(-1, 1, 8, 8), y)


class Characters(nn.Module):
    """A GRU that foretells the next character."""

    def __init__(self) -> None:
        super().__init__()
        self.embed, self.rnn = nn.Embedding(96, 32), nn.GRU(32, 64, batch_first=True)
        self.head = nn.Linear(64, 96)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return logits, classes second as a cross-entropy wants them."""
        logits: torch.Tensor = self.head(self.rnn(self.embed(x))[0]).transpose(1, 2)
        return logits


def characters() -> Problem:
    """Return a language model of the licences of Python, by AdamW."""
    text = f"{sys.copyright}\n{math.__doc__}\n{argparse.__doc__}\n{DataLoader.__doc__}\n{nn.Module.__doc__}"
    codes = torch.tensor([min(max(ord(one) - 31, 0), 95) for one in text * 4])
    rows = codes[: len(codes) // 33 * 33].reshape(-1, 33)
    rows = rows.repeat(math.ceil(2048 / len(rows)), 1)
    model = Characters()
    optimizer = torch.optim.AdamW(model.parameters())
    return model, optimizer, nn.CrossEntropyLoss(), _loader(rows[:, :-1], rows[:, 1:], 32)


def logistic() -> Problem:
    """Return a logistic regression on tumours, standardised, by SGD with momentum."""
    from sklearn.datasets import load_breast_cancer  # noqa: PLC0415

    found = load_breast_cancer()
    x = torch.tensor(found.data, dtype=torch.float32)
    y = torch.tensor(found.target, dtype=torch.float32).unsqueeze(1)
    model = nn.Linear(30, 1)
    optimizer = torch.optim.SGD(model.parameters(), 0.1, momentum=0.9)
    return model, optimizer, nn.BCEWithLogitsLoss(), _loader((x - x.mean(0)) / x.std(0), y, 32)


PROBLEMS: Final = (mlp, cnn, lstm, transformer, regression, discriminator)
"""By which a suggestion is judged."""
OTHERS: Final = (autoencoder, residual, characters, logistic)
"""By which the way to suggest was chosen."""


def trained(make: Callable[[], Problem], rate: float, steps: int) -> float:
    """Return the mean loss of the last tenth of a short training."""
    torch.manual_seed(0)
    model, optimizer, loss, loader = make()
    for group in optimizer.param_groups:
        group["lr"] = rate
    losses: list[float] = []
    while len(losses) < steps:
        for x, y in loader:
            optimizer.zero_grad()
            value = loss(model(x), y)
            value.backward()
            optimizer.step()
            losses.append(float(value.detach()))
            if not math.isfinite(losses[-1]) or len(losses) == steps:
                break
        if not math.isfinite(losses[-1]):
            return math.inf
    tail = losses[-steps // 10 :]
    return sum(tail) / len(tail)


def peer(make: Callable[[], Problem]) -> tuple[float | None, int]:
    """Ask torch-lr-finder, and count its steps."""
    LRFinder = import_module("torch_lr_finder").LRFinder  # noqa: N806 - a class

    torch.manual_seed(0)
    model, optimizer, loss, loader = make()
    for group in optimizer.param_groups:
        group["lr"] = 1e-7
    finder = LRFinder(model, optimizer, loss)
    finder.range_test(loader, end_lr=10, num_iter=100)
    rates, losses = finder.history["lr"], finder.history["loss"]
    slopes = [after - before for before, after in pairwise(losses)]
    return rates[slopes.index(min(slopes))], len(rates)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--method", default="sweep,divide")
    parser.add_argument("--steps", type=int, default=200)
    options = parser.parse_args()
    methods = options.method.split(",") + (["peer"] if find_spec("torch_lr_finder") else [])
    cache: dict[tuple[str, float], float] = {}
    for method in methods:
        good = 0
        print(f"\n{method:<14} {'rate':>9} {'steps':>6}  /10      /3       1x       x3       x10")
        for make in PROBLEMS:
            if method == "peer":
                rate, used = peer(make)
            else:
                torch.manual_seed(0)
                report = find_lr(*make(), method=method, progress=False)
                rate, used = report.suggestion, report.steps
            if rate is None:
                print(f"{make.__name__:<14} {'none':>9} {used:>6}")
                continue
            finals = []
            for factor in FACTORS:
                key = (make.__name__, rate * factor)
                if key not in cache:
                    cache[key] = trained(make, rate * factor, options.steps)
                finals.append(cache[key])
            is_good = finals[2] <= 1.1 * min(finals)
            good += is_good
            told = " ".join(f"{one:<8.3g}" for one in finals)
            print(
                f"{make.__name__:<14} {rate:>9.2g} {used:>6}  {told} {'good' if is_good else ''}",
                flush=True,
            )
        print(f"good in {good} of {len(PROBLEMS)}")


if __name__ == "__main__":
    main()
