"""Fixtures that lint a snippet, or show a detector the steps of a training."""

from __future__ import annotations

import os
from pathlib import Path
from runpy import run_path
from textwrap import dedent
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from tests.nursery import Nursery
from trainlint.core.catalogue import Catalogue, load_catalogue
from trainlint.runtime.signals import Facts, Layer, Optimizer, Parameter, Step
from trainlint.static.model import FileModel
from trainlint.static.source import SourceFile

# Tests run side by side; several threads in each, and in what it starts, only get in the others' way.
os.environ.setdefault("OMP_NUM_THREADS", "1")

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from trainlint.core.diagnosis import Diagnosis
    from trainlint.core.rule import Detector


@pytest.fixture(scope="session")
def catalogue() -> Catalogue:
    """Return the catalogue of our own rules."""
    return load_catalogue(("trainlint.rules",))


@pytest.fixture(scope="session")
def runs() -> SimpleNamespace:
    """Return what `runs.py` beside this file has: trainings of plain numbers, to be recorded."""
    return SimpleNamespace(**run_path(str(Path(__file__).with_name("runs.py"))))


@pytest.fixture(scope="session")
def nursery() -> Iterator[Callable[..., Nursery]]:
    """Return a function that gives the nursery whose programs find some modules imported."""
    made: dict[tuple[str, ...], Nursery] = {}

    def of(*modules: str) -> Nursery:
        if modules not in made:
            made[modules] = Nursery(modules)
        return made[modules]

    yield of
    for one in made.values():
        one.close()


@pytest.fixture(scope="session")
def torched(nursery: Callable[..., Nursery]) -> Nursery:
    """Return a nursery whose programs find torch imported, and what trainlint needs beside it."""
    pytest.importorskip("torch")
    # The first optimizer imports the compiler.
    return nursery("torch._dynamo", "trainlint.cli.run", "trainlint.runtime.watching")


@pytest.fixture(scope="session")
def diagnoses(catalogue: Catalogue) -> Callable[..., list[Diagnosis]]:
    """Return a function that gives the diagnoses of one rule for a snippet, in order."""

    def diagnose(
        rule: str,
        source: str,
        *,
        path: str = "snippet.py",
        target_torch: tuple[int, ...] | None = None,
        **thresholds: object,
    ) -> list[Diagnosis]:
        found = catalogue.find(rule)
        assert found is not None, f"no rule is called {rule}"
        model = FileModel(SourceFile(path, dedent(source)))
        said = found.diagnose(model, thresholds, target_torch)
        return sorted(set(said), key=lambda one: one.position)

    return diagnose


@pytest.fixture(scope="session")
def lines(diagnoses: Callable[..., list[Diagnosis]]) -> Callable[..., list[int]]:
    """Return a function that gives the lines on which one rule speaks."""

    def lines_of(rule: str, source: str, **thresholds: object) -> list[int]:
        return [one.span.line for one in diagnoses(rule, source, **thresholds)]

    return lines_of


class Training:
    """A training of plain numbers, shown to one detector step by step."""

    def __init__(self, detector: Detector, needs: tuple[str, ...], facts: Facts) -> None:
        self.detector = detector
        self.needs = needs
        self.facts = facts
        self.number = 0

    def step(self, *, number: int | None = None, **signals: Any) -> list[Diagnosis]:
        """Show the next step; a signal is a number of the run, or numbers by layer or parameter."""
        self.number = self.number + 1 if number is None else number
        values = {
            name: value if isinstance(value, dict) else {"": value}
            for name, value in signals.items()
        }
        seen = Step(self.number, self.facts, values)
        return list(self.detector.observe(seen)) if seen.has(self.needs) else []

    def steps(self, count: int, **signals: Any) -> list[Diagnosis]:
        """Show the same step several times and return all that is said."""
        return [one for _ in range(count) for one in self.step(**signals)]

    def series(self, **signals: Sequence[float]) -> list[Diagnosis]:
        """Show a step for each value of the series, which are signals of the run."""
        rows = zip(*signals.values(), strict=True)
        return [one for row in rows for one in self.step(**dict(zip(signals, row, strict=True)))]


@pytest.fixture
def training(catalogue: Catalogue) -> Callable[..., Training]:
    """Return a function that makes a training of a model and optimizers for the detector of a rule."""

    def make(
        rule: str,
        *,
        layers: Sequence[Layer] = (),
        parameters: Sequence[Parameter] = (),
        optimizers: Sequence[Optimizer] = (Optimizer("SGD", 0.1),),
        alternates: bool = False,
        plays: bool = False,
        ranks: int = 1,
        workers: int = 0,
        **thresholds: object,
    ) -> Training:
        found = catalogue.find(rule)
        assert found is not None, f"no rule is called {rule}"
        facts = Facts(
            tuple(layers),
            tuple(parameters),
            tuple(optimizers),
            alternates=alternates,
            plays=plays,
            ranks=ranks,
            workers=workers,
        )
        return Training(found.new_detector(thresholds), found.needs, facts)

    return make
