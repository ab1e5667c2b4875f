"""What loggers cost: the same training watched with and without them, side by side in one run.

How to run: python bench/logger_cost.py [--steps 600] [--loggers tensorboard,wandb,mlflow]

Two copies of a model are trained in turns, a step each, so that both see the same machine. Printed are
the ratio of the whole time, that of the median step, which is not measured, the shares of the time that
the monitors used, and how long the logger took for a measured step.
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
import time
from typing import TYPE_CHECKING, Any

import torch
from torch import nn

import trainlint
from trainlint.runtime.loggers import made

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from trainlint.core.diagnosis import Diagnosis


class Timed:
    """A logger that hands on what it is told, and how long that took."""

    def __init__(self, logger: Any) -> None:
        self._logger = logger
        self.seconds: list[float] = []

    def log_signals(self, numbers: Mapping[str, float], step: int) -> None:
        """Hand numbers on."""
        start = time.perf_counter()
        self._logger.log_signals(numbers, step)
        self.seconds.append(time.perf_counter() - start)

    def log_diagnosis(self, diagnosis: Diagnosis) -> None:
        """Hand a diagnosis on."""
        self._logger.log_diagnosis(diagnosis)


def tool(name: str, folder: str) -> tuple[Any, Callable[[], object]]:
    """Return what a user hands in, and what ends it; ImportError where its package is missing."""
    if name == "tensorboard":
        from torch.utils.tensorboard import SummaryWriter  # noqa: PLC0415

        writer = SummaryWriter(folder)
        return writer, writer.close
    if name == "wandb":
        import wandb  # noqa: PLC0415

        settings = wandb.Settings(console="off", silent=True)
        run = wandb.init(mode="offline", project="bench", dir=folder, settings=settings)
        return run, run.finish
    import mlflow  # noqa: PLC0415

    mlflow.set_tracking_uri(f"sqlite:///{folder}/runs.db")
    mlflow.set_experiment(experiment_id=mlflow.create_experiment("bench", f"file://{folder}"))
    return mlflow, mlflow.end_run


def trained(loggers: Any) -> tuple[trainlint.Monitor, Any]:
    """Return the monitor of a training and a function that makes a step of it."""
    torch.manual_seed(0)
    layers = [layer for _ in range(24) for layer in (nn.Linear(160, 160), nn.ReLU())]
    model = nn.Sequential(*layers, nn.Linear(160, 10))
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    inputs, targets = torch.randn(128, 160), torch.randint(10, (128,))
    monitor = trainlint.watch(model, optimizer, recording=False, live=False, loggers=loggers)

    def step() -> float:
        start = time.perf_counter()
        optimizer.zero_grad()
        nn.functional.cross_entropy(model(inputs), targets).backward()
        optimizer.step()
        return time.perf_counter() - start

    return monitor, step


def compared(name: str, steps: int) -> str:
    """Return the row of a logger."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        given, end = tool(name, folder)
        logger: Any = made([given])[0][1]
        timed = Timed(logger)
        (plain, plain_step), (told, told_step) = trained(()), trained([timed])
        pairs = []
        for at in range(steps):
            if at % 2:
                pairs.append((plain_step(), told_step()))
            else:
                second = told_step()
                pairs.append((plain_step(), second))
        shares = plain.own_share, told.own_share
        plain.close()
        told.close()
        logger.close("", steps)
        end()
    first, second = zip(*pairs, strict=True)
    return (
        f"{name:<12} {sum(second) / sum(first):>7.3f}"
        f" {statistics.median(second) / statistics.median(first):>12.3f}"
        f" {shares[0]:>11.1%} {shares[1]:>8.1%}"
        f" {len(timed.seconds):>9} {statistics.median(timed.seconds) * 1000:>13.2f}"
        f" {max(timed.seconds) * 1000:>12.2f}"
    )


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=600)
    parser.add_argument("--loggers", default="tensorboard,wandb,mlflow")
    given = parser.parse_args()
    os.environ.setdefault("WANDB_SILENT", "true")
    print(f"{torch.get_num_threads()} threads, {given.steps} steps each, ratios: with over without")
    print(
        f"{'':<12} {'whole':>7} {'median step':>12} {'own without':>11} {'with':>8}"
        f" {'told':>9} {'median, ms':>13} {'longest, ms':>12}"
    )
    for name in given.loggers.split(","):
        try:
            print(compared(name, given.steps), flush=True)
        except ImportError as error:
            print(f"{name:<12} is not installed ({error})")


if __name__ == "__main__":
    main()
