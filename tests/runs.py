"""A training of plain numbers to be recorded, for the tests of what is done with recordings."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from trainlint.core.diagnosis import Diagnosis, Evidence, Moment, Severity, Span
from trainlint.runtime.recorder import Recorder
from trainlint.runtime.signals import (
    Activation,
    Facts,
    Layer,
    Optimizer,
    Origin,
    Parameter,
    Role,
    Run,
    Step,
)

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

PLACE = Origin("model.py", 14)
FACTS = Facts(
    (
        Layer(
            "fc1",
            "Linear",
            0,
            "64→256",
            followed_by=Activation.RELU,
            weight="fc1.weight",
            fan_in=64,
            fan_out=256,
            origin=PLACE,
        ),
        Layer("act", "ReLU", 1, activation=Activation.RELU, origin=Origin("model.py", 15)),
        Layer("fc2", "Linear", 2, "256→10", weight="fc2.weight", is_output=True),
    ),
    (
        Parameter(
            "fc1.weight",
            "fc1",
            "Linear",
            (256, 64),
            Role.WEIGHT,
            depth=0,
            optimizer=0,
            learning_rate=0.1,
            origin=PLACE,
        ),
        Parameter("fc1.bias", "fc1", "Linear", (256,), Role.BIAS, 0, trainable=False),
    ),
    (Optimizer("SGD", 0.1, 0.9),),
    Run(Origin("train.py", 30), "net", "Net"),
)
RUN: dict[str, str | int | float] = {"model": "Net", "parameters": 16640, "device": "cpu"}


def light(number: int, loss: float = 1.0, facts: Facts = FACTS) -> Step:
    """Return a step of which only the run is known."""
    signals = {"loss": {"": loss}, "learning_rate": {"": 0.1}}
    return Step(number, facts, signals, is_measured=False, time=number / 100)


def measured(number: int, loss: float = 1.0, dead: float = 0.0, rms: float = 1.0) -> Step:
    """Return a step of which the layers are known."""
    signals = {
        "loss": {"": loss},
        "learning_rate": {"": 0.1},
        "dead_units": {"act": dead},
        "window_steps": {"act": 10.0},
        "window_samples": {"act": 2000.0},
        "rms": {"fc1": rms, "act": rms / 2, "fc2": math.nan},
        "gradient_rms": {"fc1.weight": 1e-3 / number, "fc1.bias": math.inf},
    }
    return Step(number, FACTS, signals, is_measured=True, time=number / 100)


def dying() -> list[Step]:
    """Return the steps of a training in which a layer dies after its loss has jumped."""
    early = [measured(number, loss=1 / number) for number in range(1, 21)]
    late = [measured(number, loss=40.0, dead=0.75) for number in range(22, 41)]
    return [*early, light(21, loss=50.0), *late]


def diagnosis(step: int = 7, **changes: object) -> Diagnosis:
    """Return something that was said."""
    evidence = (
        Evidence("dead units", 0.6, 0.5, "dead_units"),
        Evidence("loss", math.inf),
    )
    said: dict[str, object] = {
        "rule": "dead-relu",
        "code": "TL250",
        "severity": Severity.ERROR,
        "path": "model.py",
        "span": Span(15, 1, 15, 1),
        "message": "60% of the units of `act` were 0",
        "remedy": "use `nn.LeakyReLU`",
        "moment": Moment(step, "act", "ReLU", evidence),
        **changes,
    }
    return Diagnosis(**said)  # type: ignore[arg-type]


def recorded(
    path: Path, steps: Iterable[Step], said: Iterable[Diagnosis] = (), **run: str | float
) -> Path:
    """Write a recording of steps and then of diagnoses."""
    with Recorder.create(str(path), {**RUN, **run}) as recorder:
        for one in steps:
            recorder.write(one)
        for spoken in said:
            recorder.say(spoken)
    return path
