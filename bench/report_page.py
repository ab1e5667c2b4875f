"""How fast a report of a large training opens in a browser, beside an empty page of plotly.

    python bench/report_page.py [--layers 2000] [--steps 10000] [--every 10] [--rounds 5]

A training is made up with noise, which is hard to compress, in every signal of every layer, with
diagnoses and their evidence; its recording is as large as needed. The report is opened in a headless
Chromium from a file, in a window of 1440 by 1000, in turn with a page of plotly
without a figure, which is the least that a chart by it costs. What is measured is the time from the
navigation to the load event, and for the report to its first heat map; beside it the CPU time of the
page's main thread, which says more where other programs run. Figures are medians.
"""

from __future__ import annotations

import argparse
import random
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from plotly.graph_objects import Figure

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from bench.browser import Browser
from trainlint.core.catalogue import load_catalogue
from trainlint.core.diagnosis import Diagnosis, Evidence, Moment, Severity, Span
from trainlint.output.report import page
from trainlint.runtime.recorder import Recorder
from trainlint.runtime.recordings.recording import Recording
from trainlint.runtime.signals import Facts, Layer, Optimizer, Origin, Parameter, Role, Signal, Step

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOM = 10**10
SAID = 300
MEGA = 1e6
LOADED = "performance.getEntriesByType('navigation')[0].loadEventEnd"
DRAWN = "Number(document.documentElement.dataset.drawn)"


def facts_of(layers: int) -> Facts:
    """Return what a model of many layers is made of."""
    names = [f"encoder.layers.{at // 20}.block.{at % 20}.linear" for at in range(layers)]
    place = Origin("model.py", 14)
    return Facts(
        tuple(
            Layer(name, "Linear", at, "64→64", weight=f"{name}.weight", origin=place)
            for at, name in enumerate(names)
        ),
        tuple(
            Parameter(f"{name}.weight", name, "Linear", (64, 64), Role.WEIGHT, at, origin=place)
            for at, name in enumerate(names)
        ),
        (Optimizer("AdamW", 1e-3, 0.9),),
    )


def steps_of(facts: Facts, steps: int, every: int) -> Iterator[Step]:
    """Yield the steps of a training of which every so manieth is measured."""
    chance = random.Random(0)  # noqa: S311 - noise
    layers = [one.name for one in facts.layers]
    weights = [one.weight for one in facts.layers]
    noise = [10 ** chance.gauss(0, 1) for _ in range(100_003)]
    heated = {
        Signal.GRADIENT_RMS: (weights, 1e-4),
        Signal.UPDATE_RATIO: (weights, 1e-3),
        Signal.RMS: (layers, 1.0),
        Signal.DEAD_UNITS: (layers, 1e-2),
        Signal.SATURATED: (layers, 1e-2),
    }
    for number in range(1, steps + 1):
        signals: dict[str, dict[str, float]] = {
            Signal.LOSS: {"": chance.random() + 1},
            Signal.LEARNING_RATE: {"": 1e-3},
        }
        is_measured = number % every == 0
        if is_measured:
            for signal, (names, scale) in heated.items():
                at = chance.randrange(len(noise) - len(names))
                sizes = (scale * one for one in noise[at : at + len(names)])
                signals[signal] = dict(zip(names, sizes, strict=True))
        yield Step(number, facts, signals, is_measured=is_measured, time=number / 100)


def said(facts: Facts, steps: int) -> Iterator[Diagnosis]:
    """Yield diagnoses, each of another layer."""
    for number in range(SAID):
        layer = facts.layers[number * 7 % len(facts.layers)].name
        evidence = (Evidence("dead units", 0.6, 0.5, Signal.DEAD_UNITS),)
        yield Diagnosis(
            "dead-relu",
            "TL250",
            Severity.ERROR,
            "model.py",
            Span(14, 1, 14, 1),
            f"60% of the units of `{layer}` were 0",
            "use `nn.LeakyReLU`",
            moment=Moment(steps * (number + 1) // SAID, layer, "Linear", evidence),
        )


def main() -> None:
    """Make the pages, open them in turn, and print what it took."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--layers", type=int, default=2000)
    parser.add_argument("--steps", type=int, default=10_000)
    parser.add_argument("--every", type=int, default=10)
    parser.add_argument("--rounds", type=int, default=5)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path, report, empty = (Path(folder) / one for one in ("run.tlr", "run.html", "empty.html"))
        facts = facts_of(given.layers)
        with Recorder.create(path, {"model": "Encoder"}, limit=ROOM) as recorder:
            for step in steps_of(facts, given.steps, given.every):
                recorder.write(step)
            for diagnosis in said(facts, given.steps):
                recorder.say(diagnosis)
        started = time.perf_counter()
        with Recording(path) as recording:
            report.write_text(page(recording, load_catalogue()), encoding="utf-8")
        making = time.perf_counter() - started
        Figure().write_html(empty, include_plotlyjs=True)
        loads: dict[Path, list[float]] = {report: [], empty: []}
        works: dict[Path, list[float]] = {report: [], empty: []}
        drawn = []
        with Browser() as browser:
            for _ in range(given.rounds):
                for one in (report, empty):
                    tab = browser.open(one, height=1000)
                    if one is report:
                        tab.wait(DRAWN)
                        drawn.append(float(tab.run(DRAWN)))
                    loads[one].append(float(tab.run(LOADED)))
                    works[one].append(1000 * tab.work())
                    tab.close()
        print(f"{given.layers:,} layers x {given.steps:,} steps, every {given.every}th measured,")
        size = path.stat().st_size / MEGA
        print(f"{SAID} diagnoses; recording {size:.1f} MB, made in {making:.1f} s")
        print(f"{'':22}{'MB':>8}{'load ms':>10}{'heat map ms':>14}{'CPU ms':>10}")
        heat = statistics.median(drawn)
        for name, one, end in (
            ("report", report, f"{heat:.0f}"),
            ("empty page of plotly", empty, ""),
        ):
            load, work = statistics.median(loads[one]), statistics.median(works[one])
            size = one.stat().st_size / MEGA
            print(f"{name:22}{size:>8.1f}{load:>10.0f}{end:>14}{work:>10.0f}")
        ratio = heat / statistics.median(loads[empty])
        print(
            f"first heat map over empty page: {ratio:.2f}; fastest and slowest of {given.rounds}:"
            f" {min(drawn):.0f} and {max(drawn):.0f} ms"
        )


if __name__ == "__main__":
    main()
