"""What watching costs: the time of a training step with and without the monitor, side by side.

How to run: python bench/watch_overhead.py [--seconds 30] [--models mlp,cnn,gpt] [--device cpu]
    [--ways without,default,every=1,every=50,wandb,wandb-1,torchmortem] [--memory] [--clock cpu]

The same model is trained in turns, some steps watched and as many not, in one process, so that both
see the same machine. Printed are the ratio of the whole time and that of the 95th percentile step; with
`--memory` the resident memory that the monitor adds, beyond its imports. Peers that are installed are
measured in the same way: `wandb.watch(log="all")`, offline, at every 100th step or at every one, and
torchmortem as it comes. `--clock cpu` counts the processor's time of one thread, for machines on which
others work too.
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


clock: Callable[[], float] = time.perf_counter
"""What tells the time of a step."""


@dataclass
class Run:
    """One training, which is continued in turns."""

    model: nn.Module
    optimizer: torch.optim.Optimizer
    inputs: torch.Tensor
    labels: torch.Tensor
    times: list[float] = field(default_factory=list)
    after: Callable[[torch.Tensor], object] = id
    """What a peer wants to be called after each step."""

    def go_on(self, steps: int) -> None:
        """Train some more steps and keep their times."""
        for _ in range(steps):
            start = clock()
            loss = nn.functional.cross_entropy(self.model(self.inputs), self.labels)
            self.optimizer.zero_grad()
            loss.backward()
            self.optimizer.step()
            self.after(loss)
            if self.inputs.is_cuda:
                torch.cuda.synchronize()
            self.times.append(clock() - start)


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
def wandb_watched(run: Run, every: int) -> Iterator[Any]:
    """Watch with Weights & Biases, offline, gradients and parameters."""
    import wandb  # noqa: PLC0415

    with tempfile.TemporaryDirectory() as folder:
        quiet = wandb.Settings(silent=True)
        session = wandb.init(mode="offline", dir=folder, project="bench", settings=quiet)
        wandb.watch(run.model, log="all", log_freq=every)
        run.after = lambda loss: session.log({"loss": loss.item()})
        yield None
        session.finish()


@contextlib.contextmanager
def torchmortem_watched(run: Run) -> Iterator[Any]:
    """Watch with torchmortem, as its first example does."""
    from torchmortem import Autopsy  # noqa: PLC0415

    with Autopsy(run.model, optimizer=run.optimizer) as autopsy:
        run.after = lambda loss: autopsy.step(loss=loss.item())
        yield None


def resident() -> float:
    """Return the resident memory in MB."""
    with open("/proc/self/statm", encoding="ascii") as stream:
        return int(stream.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6


def new_run(name: str, device: str) -> Run:
    """Return a training that has made some steps, so that all that it needs is allocated."""
    torch.manual_seed(0)
    model, inputs, labels = MODELS[name]()
    model = model.to(device)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-4)
    run = Run(model, optimizer, inputs.to(device), labels.to(device))
    run.go_on(3)
    run.times.clear()
    return run


def measure(name: str, ways: dict[str, Any], seconds: float, device: str) -> None:
    """Train one model in all ways in turns and print a row for each."""
    runs = {way: new_run(name, device) for way in ways}
    monitors: dict[str, Any] = {}
    with contextlib.ExitStack() as stack:
        for way, enter in ways.items():
            # A monitor hears every `backward`: the others run while it is away.
            monitors[way] = stack.enter_context(enter(runs[way]))
        until = time.perf_counter() + seconds * len(ways)
        chunk = 2  # what else the machine does falls on all alike
        while time.perf_counter() < until:
            for way, run in runs.items():
                only(monitors, way)
                run.go_on(chunk)
        shares = {way: getattr(one, "own_share", None) for way, one in monitors.items()}
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


def measure_memory(name: str, device: str, steps: int = 30) -> None:
    """Train one model unwatched and then watched, and print what resident memory that adds."""
    tiny = nn.Linear(2, 2)
    with watched(Run(tiny, torch.optim.SGD(tiny.parameters()), torch.ones(1, 2), torch.ones(1, 2))):
        pass  # imports all that watching needs
    run = new_run(name, device)
    highest = []
    for enter in (unwatched, lambda one: watched(one, every=1)):
        gc.collect()
        with enter(run):
            seen = []
            for _ in range(steps):
                run.go_on(1)
                seen.append(resident())
        highest.append(max(seen))
    print(f"| {name} | {highest[0]:.0f} | {highest[1] - highest[0]:+.1f} |", flush=True)


away: dict[str, float] = {}
"""Since when each monitor hears nothing."""


def only(monitors: dict[str, Any], way: str) -> None:
    """Let only one monitor hear what happens."""
    from trainlint.runtime import ears  # noqa: PLC0415

    for other, monitor in monitors.items():
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
    parser.add_argument("--memory", action="store_true", help="measure memory instead of time")
    parser.add_argument("--clock", choices=("wall", "cpu"), default="wall")
    options = parser.parse_args()
    if options.clock == "cpu":
        global clock  # noqa: PLW0603 - it is asked for once, here
        clock = time.thread_time
        torch.set_num_threads(1)
    known: dict[str, Any] = {
        "without": unwatched,
        "default": watched,
        "every=1": lambda run: watched(run, every=1),
        "every=50": lambda run: watched(run, every=50),
        "wandb": lambda run: wandb_watched(run, 100),
        "wandb-1": lambda run: wandb_watched(run, 1),
        "torchmortem": torchmortem_watched,
    }
    ways = {way: known[way] for way in options.ways.split(",")}
    print(
        f"torch {torch.__version__}, {options.device}, {torch.get_num_threads()} threads,"
        f" {options.clock} time"
    )
    if options.memory:
        print("| model | MB without | MB more, every=1 |\n| --- | --- | --- |")
        for name in options.models.split(","):
            measure_memory(name, options.device)
        return
    print("| model | watched | steps | median ms | whole run | 95th percentile | own share |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    for name in options.models.split(","):
        measure(name, ways, options.seconds, options.device)


if __name__ == "__main__":
    main()
