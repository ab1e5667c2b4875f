"""Loggers are told of signals and diagnoses, cost the training nothing, and never end it."""

from __future__ import annotations

import math
import os
import subprocess
import sys

import pytest
import torch
from torch import nn

import trainlint
from trainlint.runtime.loggers.choice import CURVES, FOLLOWED, Choice
from trainlint.runtime.signals import Facts, Layer, Step

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


class Heard:
    """A logger of the user."""

    def __init__(self):
        self.steps = {}
        self.diagnoses = []

    def log_signals(self, numbers, step):
        self.steps[step] = dict(numbers)

    def log_diagnosis(self, diagnosis):
        self.diagnoses.append(diagnosis)


class Broken(Heard):
    def log_signals(self, numbers, step):
        super().log_signals(numbers, step)
        if step == 3:
            msg = "the server is gone"
            raise OSError(msg)


def train(steps=24, **options):
    """Train a network whose first activation is dead, and return its monitor and its weights."""
    torch.manual_seed(0)
    first = nn.Linear(8, 128)
    nn.init.constant_(first.bias, -30.0)
    model = nn.Sequential(first, nn.ReLU(), nn.Linear(128, 3))
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
    inputs = torch.randn(512, 8)
    options = {"live": False, "recording": False, "every": 2, **options}
    with trainlint.watch(model, optimizer, **options) as monitor:
        for _ in range(steps):
            optimizer.zero_grad()
            nn.functional.cross_entropy(model(inputs), inputs[:, :3].argmax(1)).backward()
            optimizer.step()
    return monitor, torch.cat([one.detach().flatten() for one in model.parameters()])


def test_a_logger_of_ones_own_is_told_of_measured_steps_and_diagnoses():
    heard = Heard()
    monitor, _ = train(loggers=heard)
    assert list(heard.steps) == monitor.signals["total_norm"][""].steps
    assert 0 < len(heard.steps) < 24
    assert heard.diagnoses == list(monitor.diagnoses)
    assert "dead-relu" in [one.rule for one in heard.diagnoses]
    first = heard.steps[1]
    assert first["trainlint/loss"] == monitor.signals["loss"][""].values[0]
    assert (
        first["trainlint/gradient_rms/2.weight"]
        == monitor.signals["gradient_rms"]["2.weight"].values[0]
    )
    assert first["trainlint/dead_units/1"] == 1.0
    assert all(name.startswith("trainlint/") for name in first)


def test_patterns_choose_the_numbers_as_the_signals_are_called():
    heard = Heard()
    train(loggers=[heard], logged=["total_norm", "gradient_*/2.*"])
    assert {"trainlint/total_norm", "trainlint/gradient_rms/2.bias"} <= heard.steps[1].keys()
    assert all(
        name == "trainlint/total_norm" or name.split("/", 2)[2].startswith("2.")
        for name in heard.steps[1]
    )


def test_the_training_is_the_same_to_the_bit_and_goes_on_where_a_logger_raises(caplog):
    broken, heard = Broken(), Heard()
    caplog.set_level("WARNING", "trainlint")
    monitor, watched = train(loggers=[broken, heard], every=1)
    _, alone = train(every=10**6)
    assert torch.equal(watched, alone)
    assert list(broken.steps) == [1, 2, 3]
    assert len(heard.steps) == 24
    assert broken.diagnoses != heard.diagnoses
    told = [one for one in caplog.messages if "tells" in one]
    assert told == ["trainlint tells Broken nothing any more (OSError: the server is gone)"]
    assert monitor.step == 24


@pytest.mark.parametrize(
    "given",
    ["tensorboard", Heard, 3, object(), [Heard(), None], (Heard(), "run"), math],
    ids=["text", "class", "number", "object", "nothing", "pair", "module"],
)
def test_what_is_no_logger_is_refused_before_anything_is_watched(given):
    with pytest.raises(TypeError, match=r"loggers: expects a SummaryWriter, .* not "):
        train(loggers=given)


ALONE = """\
import sys
from trainlint.runtime import loggers
from trainlint.runtime.loggers import lightning, mlflow, tensorboard, wandb
class Own:
    log_signals = log_diagnosis = lambda *_: None
class SummaryWriter:
    add_scalar = add_text = flush = lambda *_: None
SummaryWriter.__module__ = "torch.utils.tensorboard.writer"
print(len(loggers.made(loggers.check([Own(), SummaryWriter()]))))
print(*{"torch", "tensorboard", "wandb", "mlflow", "lightning"} & set(sys.modules))
"""


def test_no_package_of_a_logger_is_imported_by_trainlint():
    done = subprocess.run(
        [sys.executable, "-c", ALONE],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert done.stdout.split() == ["2"]


def test_other_ranks_tell_nothing(monkeypatch):
    monkeypatch.setenv("RANK", "1")
    heard = Heard()
    train(loggers=heard)
    assert heard.steps == {}


# --- which numbers


def deep(count):
    """Return a step of a model with many layers."""
    layers = tuple(
        Layer(f"{at}", "Linear", at, weight=f"{at}.weight", fan_in=1) for at in range(count)
    )
    signals = {
        "loss": {"": 1.0},
        "input_fingerprint": {"": 5.0},
        "metric/accuracy": {"": 0.5},
        "gradient_rms": {
            f"{at}.{kind}": at + 1.0 for at in range(count) for kind in ("weight", "bias")
        },
        "update_ratio": {f"{at}.weight": 0.1 for at in range(count)},
        "rms": {f"{at}": math.nan if at == 7 else 1.0 for at in range(count)},
        "dead_units": {f"{at}": at / count for at in range(count)},
    }
    return Step(1, Facts(layers), signals)


def test_a_model_of_2000_layers_has_few_curves_which_are_the_same_ones_at_each_step(runs):
    choice = Choice()
    step = deep(2000)
    first = dict(choice.of(step))
    assert len(first) < 60
    assert dict(choice.of(step)).keys() == first.keys() == dict(Choice().of(step)).keys()
    gradients = [name for name in first if name.startswith("gradient_rms/")]
    assert len(gradients) == CURVES
    assert {"gradient_rms/0.weight", "gradient_rms/1999.weight"} <= set(gradients)
    assert (first["gradient_rms_lowest"], first["gradient_rms_highest"]) == (1.0, 2000.0)
    assert first["gradient_rms_median"] == 1001.0
    assert first["dead_units_highest"] == 1999 / 2000
    assert math.isnan(first["rms_highest"])
    assert "loss" in first
    assert not {"input_fingerprint", "metric/accuracy", "dead_units_lowest"} & first.keys()
    for at in range(FOLLOWED + 5):
        layer = runs.diagnosis().moment.__class__(1, f"{at + 5}", "Linear")
        choice.follow(runs.diagnosis(moment=layer))
    then = dict(choice.of(step)).keys()
    assert {"gradient_rms/5.weight", "rms/5", "dead_units/5"} <= then
    assert len(then) == len(first) + 4 * FOLLOWED


# --- TensorBoard


def test_tensorboard_reads_scalars_and_diagnoses_back(tmp_path):
    board = pytest.importorskip("torch.utils.tensorboard", exc_type=ImportError)
    accumulators = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    with board.SummaryWriter(str(tmp_path / "run")) as writer:
        writer.add_scalar("mine", 1.0, 1)
        monitor, _ = train(loggers=writer)
    events = accumulators.EventAccumulator(str(tmp_path / "run"))
    events.Reload()
    norms = events.Scalars("trainlint/total_norm")
    series = monitor.signals["total_norm"][""]
    assert [one.step for one in norms] == series.steps
    assert [one.value for one in norms] == pytest.approx(series.values, rel=1e-6)
    assert events.Scalars("mine")[0].value == 1.0
    (said,) = events.Tensors("trainlint/diagnoses/TL250 dead-relu/text_summary")
    text = said.tensor_proto.string_val[0].decode()
    assert text.startswith("**error TL250 dead-relu**, step ")
    assert "test_loggers.py:" in text
    (verdict,) = events.Tensors("trainlint/verdict/text_summary")
    assert b"cannot work like this" in verdict.tensor_proto.string_val[0]
