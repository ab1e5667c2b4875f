"""Make the pictures of the README anew: a report in a browser, and the live view in a terminal.

    python docs/pictures.py

Two small networks are trained on handwritten digits, alike but for the learning rate. It needs the
extras `torch`, `report` and `live`, scikit-learn, and a Chromium.
"""

from __future__ import annotations

import asyncio
import re
import sys
import tempfile
from collections import OrderedDict
from pathlib import Path
from typing import Final

import torch
from sklearn.datasets import load_digits
from torch import nn

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import trainlint
from bench.browser import Browser
from trainlint.cli.live_view import LiveView
from trainlint.core.catalogue import load_catalogue
from trainlint.output.report import page
from trainlint.runtime.recordings.recording import Recording

HERE: Final = Path(__file__).resolve().parent
WIDTH: Final = 64
DEPTH: Final = 8
RATES: Final = {"steady.tlr": 0.002, "too-fast.tlr": 0.03}
EPOCHS: Final = 10
SEEN: Final = (1120, 1440)
SCALE: Final = 0.8


def train(rate: float, path: Path) -> None:
    """Train with a learning rate, and record it."""
    torch.manual_seed(0)
    images, labels = load_digits(return_X_y=True)
    inputs, targets = torch.tensor(images, dtype=torch.float32) / 16, torch.tensor(labels)
    layers: OrderedDict[str, nn.Module] = OrderedDict()
    for number in range(1, DEPTH + 1):
        linear = layers[f"fc{number}"] = nn.Linear(WIDTH, WIDTH)
        nn.init.kaiming_normal_(linear.weight, nonlinearity="relu")
        nn.init.zeros_(linear.bias)
        layers[f"relu{number}"] = nn.ReLU()
    layers["head"] = nn.Linear(WIDTH, 10)
    model = nn.Sequential(layers)
    optimizer = torch.optim.Adam(model.parameters(), lr=rate)
    monitor = trainlint.watch(model, optimizer, every=1, live=False, recording=str(path))
    for _ in range(EPOCHS):
        for batch in torch.randperm(len(inputs)).split(64):
            loss = nn.functional.cross_entropy(model(inputs[batch]), targets[batch])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    monitor.close()


def draw_report(path: Path, target: Path) -> None:
    """Draw the upper part of a report."""
    html = path.with_suffix(".html")
    with Recording(path) as recording:
        html.write_text(page(recording, load_catalogue()), encoding="utf-8")
    with Browser() as browser:
        tab = browser.open(html, width=SEEN[0], height=SEEN[1])
        tab.wait("document.documentElement.dataset.drawn")
        tab.settle()
        tab.picture(target, clip=(0, 0, *SEEN), scale=SCALE)


def draw_live(paths: list[Path], target: Path) -> None:
    """Draw the live view of some runs."""

    async def draw() -> str:
        app = LiveView(lambda: map(str, paths), interval=60)
        async with app.run_test(size=(132, 30)) as pilot:
            await pilot.pause()
            return app.export_screenshot(title="trainlint live", simplify=True)

    # The picture asks for no font from elsewhere.
    target.write_text(re.sub(r"@font-face\s*{[^}]*}", "", asyncio.run(draw())), encoding="utf-8")


def main() -> None:
    """Train, and draw both."""
    with tempfile.TemporaryDirectory() as folder:
        paths = [Path(folder, name) for name in RATES]
        for path, rate in zip(paths, RATES.values(), strict=True):
            train(rate, path)
        draw_report(paths[-1], HERE / "report.png")
        draw_live(paths, HERE / "live.svg")


if __name__ == "__main__":
    main()
