"""What a probe costs, and how near theory comes to what it measures.

How to run: python bench/probe_speed.py [--width 512] [--depth 50]

First the time and the memory of a probe, over those of one forward and one backward pass of the same batch;
then, for every activation and initialisation, the variance ratio from layer to layer of a deep perceptron
as theory predicts it and as the probe measures it (the geometric mean over the layers).
"""

from __future__ import annotations

import argparse
import math
import os
import statistics
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any, Final

import torch
from torch import nn

import trainlint
from trainlint.runtime.judging.gains import predicted
from trainlint.runtime.signals import Activation

if TYPE_CHECKING:
    from collections.abc import Callable

ACTIVATIONS: Final[dict[Activation, Callable[[], nn.Module]]] = {
    Activation.TANH: nn.Tanh,
    Activation.SIGMOID: nn.Sigmoid,
    Activation.RELU: nn.ReLU,
    Activation.LEAKY_RELU: nn.LeakyReLU,
    Activation.ELU: nn.ELU,
    Activation.SELU: nn.SELU,
    Activation.GELU: nn.GELU,
    Activation.SILU: nn.SiLU,
    Activation.SOFTSIGN: nn.Softsign,
}
SCALES: Final = {"N(0, 0.01²)": None, "torch": 1 / 3, "LeCun": 1.0, "Glorot": 1.0, "He": 2.0}
"""The variance of the weights times the fan; None for a fixed standard deviation of 0.01."""


def mlp(width: int = 1024, depth: int = 8) -> tuple[nn.Module, Any, Any]:
    """Return a perceptron."""
    layers = [each for _ in range(depth) for each in (nn.Linear(width, width), nn.ReLU())]
    return nn.Sequential(*layers, nn.Linear(width, 10)), torch.randn(256, width), "cross_entropy"


def cnn() -> tuple[nn.Module, Any, Any]:
    """Return a convolutional network."""
    layers: list[nn.Module] = []
    for before, after in ((3, 32), (32, 64), (64, 64), (64, 128)):
        layers += [nn.Conv2d(before, after, 3, 1, 1), nn.BatchNorm2d(after), nn.ReLU()]
    layers += [nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(128, 10)]
    return nn.Sequential(*layers), torch.randn(32, 3, 32, 32), "cross_entropy"


def transformer() -> tuple[nn.Module, Any, Any]:
    """Return a transformer."""
    layer = nn.TransformerEncoderLayer(256, 8, 1024, 0.0, batch_first=True, norm_first=True)
    body = nn.TransformerEncoder(layer, 4, enable_nested_tensor=False)
    return nn.Sequential(body, nn.Linear(256, 100)), torch.randn(16, 64, 256), "cross_entropy"


MODELS: Final = {"mlp": mlp, "cnn": cnn, "transformer": transformer}


def plain(model: nn.Module, x: Any) -> None:
    """Run one forward and one backward pass."""
    model.zero_grad()
    output = model(x)
    classes = output.flatten(0, -2)
    target = torch.zeros(len(classes), dtype=torch.long)
    nn.functional.cross_entropy(classes, target).backward()


def seconds(work: Callable[[], object], rounds: int = 7) -> float:
    """Return the median time of some work."""
    seen = []
    for _ in range(rounds):
        start = time.perf_counter()
        work()
        seen.append(time.perf_counter() - start)
    return statistics.median(seen)


def peak(name: str, what: str) -> float:
    """Return the memory in MiB that a process of its own takes for some work."""
    command = [sys.executable, os.path.abspath(__file__), "--model", name, "--work", what]
    return float(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


def own_peak(name: str, what: str) -> float:
    """Do some work once and return by how much the highest resident memory of the process has grown."""
    small = nn.Linear(2, 2)
    trainlint.probe(small, torch.randn(4, 2))  # imports
    before = _status("VmRSS")
    model, x, loss = MODELS[name]()
    if what == "plain":
        plain(model, x)
    else:
        trainlint.probe(model, (x, None), loss, remedy=what == "remedy")
    return _status("VmHWM") - before


def _status(key: str) -> float:
    """Return a size of this process in MiB; the highest one begins anew with each program."""
    with open("/proc/self/status", encoding="ascii") as stream:
        lines = dict(line.split(":", 1) for line in stream)
    return int(lines[key].split()[0]) / 2**10


def costs() -> None:
    """Print time and memory."""
    print(f"{'model':<12} {'one pass':>9}  {'probe':>6} {'remedy':>7}   memory: probe, with remedy")
    for name, make in MODELS.items():
        model, x, loss = make()
        batch = (x, None)
        plain(model, x)
        one = seconds(lambda: plain(model, x))  # noqa: B023
        probe = seconds(lambda: trainlint.probe(model, batch, loss, remedy=False))  # noqa: B023
        both = seconds(lambda: trainlint.probe(model, batch, loss, remedy=True))  # noqa: B023
        base = peak(name, "plain")
        memory = [peak(name, what) / base for what in ("probe", "remedy")]
        print(
            f"{name:<12} {one * 1e3:>6.1f} ms {probe / one:>6.2f}× {both / one:>6.2f}×   "
            f"{memory[0]:.2f}× {memory[1]:.2f}×",
            flush=True,
        )


def table(width: int, depth: int) -> None:
    """Print the ratios of theory and of the probe."""
    print(f"\n{'activation':<12} {'initialisation':<14} {'theory':>9} {'measured':>9} {'error':>7}")
    within = total = 0
    for activation, make in ACTIVATIONS.items():
        for name, scale in SCALES.items():
            if name == "Glorot":
                continue  # the same as LeCun's where all layers are as wide
            weight = scale if scale is not None else width * 1e-4
            torch.manual_seed(0)
            layers: list[nn.Module] = []
            for _ in range(depth):
                linear = nn.Linear(width, width)
                nn.init.normal_(linear.weight, std=math.sqrt(weight / width))
                nn.init.zeros_(linear.bias)
                layers += [linear, make()]
            report = trainlint.probe(
                nn.Sequential(*layers), torch.randn(64, width), remedy=False, select=["TL150"]
            )
            pairs = zip(predicted(activation, weight, 1.0, depth), report.weighted, strict=True)
            seen = [
                (variance, one.variance)
                for (variance, _), one in pairs
                if one.variance and variance > 1e-35  # noqa: PLR2004 - float32 ends at 1e-38
            ]
            steps = max(len(seen) - 1, 1)
            theory = (seen[-1][0] / seen[0][0]) ** (1 / steps)
            measured = (seen[-1][1] / seen[0][1]) ** (1 / steps)
            error = measured / theory - 1
            total += 1
            within += abs(error) <= 0.1  # noqa: PLR2004
            print(
                f"{activation:<12} {name:<14} {theory:>9.4f} {measured:>9.4f} {error:>+7.1%}",
                flush=True,
            )
    print(f"within 10 % in {within} of {total}")


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--width", type=int, default=512)
    parser.add_argument("--depth", type=int, default=50)
    parser.add_argument("--model", choices=MODELS)
    parser.add_argument("--work", default="plain")
    options = parser.parse_args()
    if options.model:
        print(own_peak(options.model, options.work))
        return
    costs()
    table(options.width, options.depth)


if __name__ == "__main__":
    main()
