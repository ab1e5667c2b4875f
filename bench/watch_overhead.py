"""What watching costs: the time of a training step with and without the monitor, side by side.

How to run: python bench/watch_overhead.py [--seconds 30] [--models mlp,cnn,gpt] [--device cpu]

The same model is trained in turns, some steps watched and as many not, in one process, so that both
see the same machine. Printed are the ratio of the whole time, that of the 95th percentile step, and
the resident memory that the monitor adds. Peers that are installed are measured in the same way.
"""

from __future__ import annotations

import argparse
import contextlib
import gc
import itertools
import os
import statistics
import tempfile
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import torch
from torch import nn

import trainlint

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


class Block(nn.Module):
    """A residual block of two convolutions, as in ResNet-18."""

    def __init__(self, width: int, out: int, stride: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(width, out, 3, stride, 1, bias=False),
            nn.BatchNorm2d(out),
            nn.ReLU(inplace=True),
            nn.Conv2d(out, out, 3, 1, 1, bias=False),
            nn.BatchNorm2d(out),
        )
        self.short: nn.Module = nn.Identity()
        if stride != 1 or width != out:
            self.short = nn.Sequential(
                nn.Conv2d(width, out, 1, stride, bias=False), nn.BatchNorm2d(out)
            )

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Add the body to the short cut."""
        return torch.relu(self.body(images) + self.short(images))


class Layer(nn.Module):
    """A pre-norm transformer layer."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.first, self.second = nn.LayerNorm(width), nn.LayerNorm(width)
        self.qkv, self.out = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.up, self.down = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        """Attend, then think."""
        batch, length, width = tokens.shape
        parts = (
            self.qkv(self.first(tokens))
            .view(batch, length, 3, self.heads, -1)
            .permute(2, 0, 3, 1, 4)
        )
        mixed = nn.functional.scaled_dot_product_attention(
            parts[0], parts[1], parts[2], is_causal=True
        )
        tokens = tokens + self.out(mixed.transpose(1, 2).reshape(batch, length, width))
        return tokens + self.down(nn.functional.gelu(self.up(self.second(tokens))))


class Gpt(nn.Module):
    """A small GPT over 256 bytes."""

    def __init__(self, width: int = 256, layers: int = 6, length: int = 128) -> None:
        super().__init__()
        self.embed, self.place = nn.Embedding(256, width), nn.Embedding(length, width)
        self.layers = nn.ModuleList(Layer(width, 8) for _ in range(layers))
        self.norm, self.head = nn.LayerNorm(width), nn.Linear(width, 256)

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        """Return the logits of each next byte, (batch, classes, length)."""
        hidden = self.embed(tokens) + self.place(
            torch.arange(tokens.shape[1], device=tokens.device)
        )
        for layer in self.layers:
            hidden = layer(hidden)
        return self.head(self.norm(hidden)).transpose(1, 2)


def mlp() -> tuple[nn.Module, torch.Tensor, torch.Tensor]:
    """Return a perceptron of ten million parameters, and a batch."""
    sizes = [784, 2048, 2048, 1024, 512, 10]
    layers: list[nn.Module] = []
    for before, after in itertools.pairwise(sizes):
        layers += [nn.Linear(before, after), nn.ReLU()]
    return nn.Sequential(*layers[:-1]), torch.randn(128, 784), torch.randint(0, 10, (128,))


def cnn() -> tuple[nn.Module, torch.Tensor, torch.Tensor]:
    """Return a ResNet-18 for small images, and a batch."""
    layers: list[nn.Module] = [
        nn.Conv2d(3, 64, 3, 1, 1, bias=False),
        nn.BatchNorm2d(64),
        nn.ReLU(inplace=True),
    ]
    width = 64
    for out in (64, 128, 256, 512):
        layers += [Block(width, out, 1 if out == width else 2), Block(out, out, 1)]
        width = out
    layers += [nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(512, 10)]
    return nn.Sequential(*layers), torch.randn(16, 3, 32, 32), torch.randint(0, 10, (16,))


def gpt() -> tuple[nn.Module, torch.Tensor, torch.Tensor]:
    """Return a small GPT, and a batch."""
    return Gpt(), torch.randint(0, 256, (8, 128)), torch.randint(0, 256, (8, 128))


MODELS: dict[str, Callable[[], tuple[nn.Module, torch.Tensor, torch.Tensor]]] = {
    "mlp": mlp,
    "cnn": cnn,
    "gpt": gpt,
}


@dataclass
class Run:
    """One training, which is continued in turns."""

    model: nn.Module
    optimizer: torch.optim.Optimizer
    inputs: torch.Tensor
    labels: torch.Tensor
    times: list[float] = field(default_factory=list)

    def go_on(self, steps: int) -> None:
        """Train some more steps and keep their times."""
        for _ in range(steps):
            start = time.perf_counter()
            loss = nn.functional.cross_entropy(self.model(self.inputs), self.labels)
            self.optimizer.zero_grad()
            loss.backward()
            self.optimizer.step()
            if self.inputs.is_cuda:
                torch.cuda.synchronize()
            self.times.append(time.perf_counter() - start)


@contextlib.contextmanager
def unwatched(run: Run) -> Iterator[Any]:
    """Watch nothing."""
    yield None
    del run


@contextlib.contextmanager
def watched(run: Run, **options: Any) -> Iterator[Any]:
    """Watch with trainlint, with a recording, as users do."""
    with tempfile.TemporaryDirectory() as folder:
        monitor = trainlint.watch(
            run.model,
            run.optimizer,
            live=False,
            recording=os.path.join(folder, "run.tlr"),
            **options,
        )
        yield monitor
        monitor.close()


@contextlib.contextmanager
def wandb_watched(run: Run) -> Iterator[Any]:
    """Watch with Weights & Biases, offline, gradients and parameters at its own interval."""
    import wandb  # noqa: PLC0415

    with tempfile.TemporaryDirectory() as folder:
        session = wandb.init(mode="offline", dir=folder, project="bench")
        wandb.watch(run.model, log="all", log_freq=100)
        handle = run.optimizer.register_step_post_hook(lambda *_: session.log({}))
        yield None
        handle.remove()
        session.finish()


def resident() -> float:
    """Return the resident memory in MB."""
    with open("/proc/self/statm", encoding="ascii") as stream:
        return int(stream.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6


def measure(name: str, ways: dict[str, Any], seconds: float, device: str) -> None:
    """Train one model in all ways in turns and print a row for each."""
    runs = {}
    for way in ways:
        torch.manual_seed(0)
        model, inputs, labels = MODELS[name]()
        model = model.to(device)
        optimizer = torch.optim.AdamW(model.parameters(), lr=1e-4)
        runs[way] = Run(model, optimizer, inputs.to(device), labels.to(device))
        runs[way].go_on(3)
        runs[way].times.clear()
    added: dict[str, float] = {}
    monitors: dict[str, Any] = {}
    with contextlib.ExitStack() as stack:
        for way, enter in ways.items():
            gc.collect()
            before = resident()
            # A monitor hears every `backward`: the others run while it is away.
            monitors[way] = (stack.enter_context(enter(runs[way])), before)
        until = time.perf_counter() + seconds * len(ways)
        chunk = 10
        while time.perf_counter() < until:
            for way, run in runs.items():
                only(monitors, way)
                run.go_on(chunk)
        for way, (_, before) in monitors.items():
            added[way] = resident() - before
        shares = {way: getattr(one, "own_share", None) for way, (one, _) in monitors.items()}
    base = runs["without"].times
    for way, run in runs.items():
        count = min(len(base), len(run.times))
        whole = sum(run.times[:count]) / sum(base[:count])
        centiles = [statistics.quantiles(one[:count], n=20)[-1] for one in (run.times, base)]
        share = shares[way]
        print(
            f"| {name} | {way} | {count} | {statistics.median(run.times[:count]) * 1e3:.1f} | {whole:.3f} |"
            f" {centiles[0] / centiles[1]:.3f} | {'' if share is None else f'{share:.2%}'} |",
            flush=True,
        )


away: dict[str, float] = {}
"""Since when each monitor hears nothing."""


def only(monitors: dict[str, Any], way: str) -> None:
    """Let only one monitor hear what happens."""
    from trainlint.runtime import ears  # noqa: PLC0415

    for other, (monitor, _) in monitors.items():
        if isinstance(monitor, trainlint.Monitor):
            now = time.perf_counter()
            if other == way and monitor not in ears._listeners:  # noqa: SLF001
                ears.listen(monitor)
                monitor._began += now - away.pop(other, now)  # noqa: SLF001 - its clock stood still
            elif other != way:
                ears.leave(monitor)
                away.setdefault(other, now)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seconds", type=float, default=30.0)
    parser.add_argument("--models", default="mlp,cnn,gpt")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--ways", default="without,default,every=1")
    options = parser.parse_args()
    known: dict[str, Any] = {
        "without": unwatched,
        "default": watched,
        "every=1": lambda run: watched(run, every=1),
        "every=50": lambda run: watched(run, every=50),
        "wandb": wandb_watched,
    }
    ways = {way: known[way] for way in options.ways.split(",")}
    print(f"torch {torch.__version__}, {options.device}, {torch.get_num_threads()} threads")
    print("| model | watched | steps | median ms | whole run | 95th percentile | own share |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    for name in options.models.split(","):
        measure(name, ways, options.seconds, options.device)


if __name__ == "__main__":
    main()
