"""What watching costs: the time of a training step with and without the monitor, side by side.

How to run: python bench/watch_overhead.py [--seconds 60] [--models mlp,cnn,gpt] [--device cpu]
    [--ways null,default,every=1,every=50,wandb,wandb-1,torchmortem] [--memory] [--clock cpu]

A training is watched for some steps and goes on unwatched for as many, and so on, in one process, so
that both see the same machine. With trainlint it is one model and one optimizer for which the monitor is
away in turns: two equal models differ by up to 2 % by where in memory they lie, which is more than is
measured here. What `null` prints, where neither turn is watched, is what chance does. Peers that are
installed cannot be sent away, and have an equal model that nobody watches beside theirs:
`wandb.watch(log="all")`, offline, at every 100th step or at every one, and torchmortem as it comes.

Printed are the ratio of the whole time, of the mean steps that were not measured, and of the 95th
percentile step; with `--memory` the resident memory that the monitor adds, beyond its imports.
`--clock cpu` counts the processor's time of one thread, for machines on which others work too.
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
from typing import TYPE_CHECKING, Any, Final

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


TURN: Final = 4
"""So many steps are watched, then as many not."""

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


def measure(name: str, way: str, enter: Callable[[Run], Any], seconds: float, device: str) -> None:
    """Train one model watched in some way and unwatched, in turns, and print a row."""
    run = new_run(name, device)
    others: list[float] = []
    measured: list[bool] = []
    with enter(run) as monitor:
        is_ours = isinstance(monitor, trainlint.Monitor)
        beside = run if is_ours or way == "null" else new_run(name, device)
        until = time.perf_counter() + 2 * seconds
        while time.perf_counter() < until:
            for _ in range(TURN):
                measured.append(is_ours and monitor._is_measured)  # noqa: SLF001
                run.go_on(1)
            watched_so_far = len(run.times)
            with away(monitor, run.optimizer) if is_ours else contextlib.nullcontext():
                beside.go_on(TURN)
            if beside is run:
                others += run.times[watched_so_far:]
                del run.times[watched_so_far:]
        share = f"{monitor.own_share:.2%}" if is_ours else ""
    base = others or beside.times
    light = [seconds for seconds, is_dear in zip(run.times, measured, strict=True) if not is_dear]
    between = f"{statistics.mean(light) / statistics.mean(base):.3f}" if light else ""
    centiles = [statistics.quantiles(one, n=20)[-1] for one in (run.times, base)]
    print(
        f"| {name} | {way} | {len(base)} | {sum(measured)} | {statistics.median(base) * 1e3:.1f} |"
        f" {sum(run.times) / sum(base):.3f} | {between} | {centiles[0] / centiles[1]:.3f} | {share} |",
        flush=True,
    )


@contextlib.contextmanager
def away(monitor: Any, optimizer: torch.optim.Optimizer) -> Iterator[None]:
    """Send the monitor away between two steps: it hears nothing, and to it no time passes."""
    from trainlint.runtime import ears  # noqa: PLC0415

    start = time.perf_counter()
    pre, post = optimizer._optimizer_step_pre_hooks, optimizer._optimizer_step_post_hooks  # noqa: SLF001
    hooks: tuple[dict[int, Any], ...] = (pre, post)
    kept = [dict(one) for one in hooks]
    ears.leave(monitor)
    for one in hooks:
        one.clear()
    monitor._hooks.remove()  # noqa: SLF001
    yield
    if monitor._is_measured:  # noqa: SLF001
        monitor._hooks.install(monitor._anatomy.modules)  # noqa: SLF001
    for one, its in zip(hooks, kept, strict=True):
        one.update(its)
    ears.listen(monitor)
    gone = time.perf_counter() - start
    for since in ("_began", "_last", "_drained"):
        setattr(monitor, since, getattr(monitor, since) + gone)


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


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument(
        "--seconds", type=float, default=60.0, help="watched, and as many unwatched"
    )
    parser.add_argument("--models", default="mlp,cnn,gpt")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--ways", default="null,default,every=1")
    parser.add_argument("--memory", action="store_true", help="measure memory instead of time")
    parser.add_argument("--clock", choices=("wall", "cpu"), default="wall")
    options = parser.parse_args()
    if options.clock == "cpu":
        global clock  # noqa: PLW0603 - it is asked for once, here
        clock = time.thread_time
        torch.set_num_threads(1)
    known: dict[str, Any] = {
        "null": unwatched,
        "default": watched,
        "every=1": lambda run: watched(run, every=1),
        "every=50": lambda run: watched(run, every=50),
        "wandb": lambda run: wandb_watched(run, 100),
        "wandb-1": lambda run: wandb_watched(run, 1),
        "torchmortem": torchmortem_watched,
    }
    print(
        f"torch {torch.__version__}, {options.device}, {torch.get_num_threads()} threads,"
        f" {options.clock} time"
    )
    if options.memory:
        print("| model | MB without | MB more, every=1 |\n| --- | --- | --- |")
        for name in options.models.split(","):
            measure_memory(name, options.device)
        return
    print(
        "| model | watched | steps | measured | median ms unwatched | whole run | steps between |"
        " 95th percentile | own share |"
    )
    print("| --- | --- | --- | --- | --- | --- | --- | --- | --- |")
    for name in options.models.split(","):
        for way in options.ways.split(","):
            measure(name, way, known[way], options.seconds, options.device)


if __name__ == "__main__":
    main()
