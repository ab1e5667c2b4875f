"""Whether a suggested learning rate is a good one: problems, trained at it and at rates around it.

How to run: python bench/lr_suggestions.py [--methods sweep,divide] [--steps 200,500] [--seeds 3]

Each problem is trained from the same weights at a tenth, a third, one time, three and ten times the
suggestion. A suggestion is good where its final loss is the lowest of these or within 10 % of it, which one
that learns nothing is, too; so those are counted apart that are near the best of all rates that anybody's
suggestion led to. Peers that are installed (torch-lr-finder, Lightning) are asked in the same way. How the
sweep suggests was chosen by `--problems autoencoder,logistic`; the table of the six leaves these out.
"""

from __future__ import annotations

import argparse
import contextlib
import logging
import math
import statistics
import sys
import tempfile
import warnings
from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, Final

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from trainlint.runtime.lr_finder import find_lr

if TYPE_CHECKING:
    from collections.abc import Callable

FACTORS: Final = (0.1, 1 / 3, 1.0, 3.0, 10.0)
WITHIN: Final = 1.1
PEERS: Final = {"torch-lr-finder": "torch_lr_finder", "Lightning": "lightning"}
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


def trained(make: Callable[[], Problem], seed: int, rate: float, steps: int) -> list[float]:
    """Return the losses of a training; it ends where one is not finite."""
    torch.manual_seed(seed)
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
            if not math.isfinite(losses[-1]):
                return losses
            if len(losses) == steps:
                break
    return losses


def final(losses: list[float], steps: int) -> float:
    """Return the mean loss of the last tenth of so many steps."""
    tail = losses[steps - steps // 10 : steps]
    return sum(tail) / len(tail) if len(losses) >= steps else math.inf


def own(make: Callable[[], Problem], **options: Any) -> tuple[float | None, int]:
    """Ask trainlint, and count its steps."""
    report = find_lr(*make(), progress=False, **options)
    return report.suggestion, report.steps


def torch_lr_finder(make: Callable[[], Problem]) -> tuple[float | None, int]:
    """Ask torch-lr-finder as its page shows, and count its steps."""
    LRFinder = import_module("torch_lr_finder").LRFinder  # noqa: N806 - a class
    axes = import_module("matplotlib.figure").Figure().subplots()
    model, optimizer, loss, loader = make()
    for group in optimizer.param_groups:
        group["lr"] = 1e-7
    finder = LRFinder(model, optimizer, loss)
    finder.range_test(loader, end_lr=10, num_iter=100)
    _, rate = finder.plot(ax=axes, suggest_lr=True)
    return float(rate), len(finder.history["lr"])


def lightning(make: Callable[[], Problem]) -> tuple[float | None, int]:
    """Ask the tuner of Lightning with what is usual for it, and count its steps."""
    pytorch = import_module("lightning.pytorch")
    model, optimizer, loss, loader = make()

    class Module(pytorch.LightningModule):  # type: ignore[name-defined, misc]
        """The same training."""

        def __init__(self) -> None:
            super().__init__()
            self.model, self.lr = model, 1e-3

        def training_step(self, batch: Any, _: int) -> Any:
            """Return the loss of a batch."""
            return loss(self.model(batch[0]), batch[1])

        def configure_optimizers(self) -> Any:
            """Return the optimizer with the rate that is tried."""
            for group in optimizer.param_groups:
                group["lr"] = self.lr
            return optimizer

    quiet = dict.fromkeys(("logger", "enable_checkpointing", "enable_progress_bar"), False)
    trainer = pytorch.Trainer(
        max_epochs=100, accelerator="cpu", enable_model_summary=False, **quiet
    )
    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
        finder = pytorch.tuner.Tuner(trainer).lr_find(Module(), loader, update_attr=False)
    return finder.suggestion(), len(finder.results["lr"])


METHODS: Final[dict[str, Callable[[Callable[[], Problem]], tuple[float | None, int]]]] = {
    "sweep": own,
    "sweep alone": lambda make: own(make, confirm=False),
    "divide": lambda make: own(make, method="divide"),
    "divide alone": lambda make: own(make, method="divide", confirm=False),
    "torch-lr-finder": torch_lr_finder,
    "Lightning": lightning,
}


def main() -> None:
    """Print a table for each way to suggest."""
    known = {one.__name__: one for one in (*PROBLEMS, *OTHERS)}
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--methods", default=",".join(METHODS))
    parser.add_argument("--problems", default=",".join(one.__name__ for one in PROBLEMS))
    parser.add_argument(
        "--steps", default="200", help="of the trainings; with commas between several"
    )
    parser.add_argument("--seeds", type=int, default=1)
    options = parser.parse_args()
    logging.disable(logging.WARNING)
    warnings.simplefilter("ignore")
    lengths = [int(one) for one in options.steps.split(",")]
    ways = options.methods.split(",")
    missing = [one for one, module in PEERS.items() if find_spec(module) is None]
    good = {(way, steps): 0 for way in ways for steps in lengths}
    best = dict(good)
    used: dict[str, list[int]] = {way: [] for way in ways}
    runs = [(name, seed) for name in options.problems.split(",") for seed in range(options.seeds)]
    print(
        f"{'problem':<16} {'by':<16} {'rate':>8} {'asked':>6} {'trained':>8}  final loss at", end=""
    )
    print(" /10, /3, 1x, x3, x10")
    for name, seed in runs:
        cache: dict[float, list[float]] = {}
        suggested: dict[str, float] = {}
        for way in ways:
            if way in missing:
                continue
            torch.manual_seed(seed)
            rate, count = METHODS[way](known[name])
            used[way].append(count)
            if rate is None:
                print(f"{name:<14}{seed:>2} {way:<16} {'none':>8} {count:>6}", flush=True)
                continue
            suggested[way] = rate
            for factor in FACTORS:
                if rate * factor not in cache:
                    cache[rate * factor] = trained(known[name], seed, rate * factor, max(lengths))
            for steps in lengths:
                finals = [final(cache[rate * factor], steps) for factor in FACTORS]
                is_good = finals[2] <= WITHIN * min(finals) and math.isfinite(finals[2])
                good[way, steps] += is_good
                told = " ".join(f"{one:<8.3g}" for one in finals)
                print(
                    f"{name:<14}{seed:>2} {way:<16} {rate:>8.2g} {count:>6} {steps:>8}  {told}"
                    f" {'good' if is_good else ''}",
                    flush=True,
                )
        for steps in lengths:
            lowest = min((final(one, steps) for one in cache.values()), default=math.inf)
            for way, rate in suggested.items():
                best[way, steps] += final(cache[rate], steps) <= WITHIN * lowest
    for way in ways:
        told = ", ".join(
            f"{good[way, steps]} after {steps} steps ({best[way, steps]} near the best of all)"
            for steps in lengths
        )
        asked = statistics.mean(used[way]) if used[way] else math.nan
        is_missing = " (not installed)" if way in missing else ""
        print(f"{way:<16} good in {told} of {len(runs)}; asked with {asked:.0f} steps{is_missing}")


if __name__ == "__main__":
    main()
