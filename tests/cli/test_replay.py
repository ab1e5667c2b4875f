"""A recording is judged again, as the training was or with other rules and thresholds."""

from __future__ import annotations

import json
import os
import sqlite3
from collections import Counter

import pytest

from trainlint.core.catalogue import load_catalogue
from trainlint.core.config import Config, resolve
from trainlint.output.formats import FORMATS
from trainlint.runtime.judge import Judge
from trainlint.runtime.recorder import Recorder

MODEL = "\n" * 13 + "        self.fc1 = nn.Linear(64, 256)\n        self.act = nn.ReLU()\n"


@pytest.fixture
def recording(folder, runs):
    """Return the recording of a training in which a layer dies, made after the model was written."""
    (folder / "model.py").write_text(MODEL)
    runs.recorded(folder / "run.tlr", runs.dying())
    return "run.tlr"


@pytest.fixture
def replayed(trainlint, recording):
    """Return a function that replays the recording and gives the exit code and the diagnoses."""

    def replay(*arguments):
        done = trainlint("replay", recording, "--output-format", "json", *arguments)
        found = json.loads(done.out)["diagnoses"]
        return done.code, [(one["rule"], one["moment"]["step"]) for one in found]

    return replay


def test_a_replay_says_what_was_said_live(replayed, runs):
    settings = resolve(load_catalogue(), Config())
    judge = Judge(settings)
    for step in runs.dying():
        judge.observe(step)
    live = [(one.rule, one.moment and one.moment.step) for one in judge.diagnoses]
    assert ("dead-relu", 26) in live
    code, said = replayed()
    assert code == 1
    assert Counter(said) == Counter(live)


def test_rules_and_thresholds_are_those_of_options_and_configuration(folder, replayed):
    only = ("--select", "dead-relu")
    assert replayed(*only) == (1, [("dead-relu", 26)])
    assert replayed(*only, "--config", "rules.dead-relu.share = 0.7") == (1, [("dead-relu", 26)])
    higher = ("--config", "rules.dead-relu = {share = 0.8, severe = 0.9}")
    assert replayed(*only, *higher) == (0, [])
    (folder / "pyproject.toml").write_text(
        "[tool.trainlint]\nselect = ['dead-relu']\n"
        "[tool.trainlint.rules.dead-relu]\nshare = 0.8\nsevere = 0.9\n"
    )
    assert replayed() == (0, [])
    assert replayed("--isolated", *only) == (1, [("dead-relu", 26)])
    assert replayed("--isolated", "--ignore", "ALL") == (0, [])


def test_what_the_training_told_watch_counts_unless_an_option_says_otherwise(
    folder, runs, trainlint
):
    settings = {
        "select": ["dead-relu"],
        "thresholds": {"dead-relu": {"share": 0.8, "severe": 0.9}},
    }
    with Recorder.create(folder / "run.tlr", {}, settings=settings) as recorder:
        for step in runs.dying():
            recorder.write(step)
    assert trainlint("replay", "run.tlr").code == 0
    assert trainlint("replay", "run.tlr", "--config", "rules.dead-relu.severe = 0.5").code == 1
    isolated = trainlint("replay", "run.tlr", "--isolated", "--select", "dead-relu")
    assert "TL250" in isolated.out


def test_a_resumed_training_is_judged_anew_from_where_it_was_resumed(folder, runs, trainlint):
    runs.recorded(folder / "run.tlr", runs.dying())
    with Recorder.create(folder / "run.tlr", {}, append=True) as recorder:
        for step in runs.dying():
            recorder.write(step)
    done = trainlint("replay", "run.tlr", "--select", "dead-relu")
    assert done.out.count("step 26: error TL250") == 2
    assert done.out.endswith("in 80 steps.\n")


def test_the_line_of_the_model_is_shown_while_it_is_what_it_was(folder, recording, trainlint):
    done = trainlint("replay", recording, "--select", "dead-relu")
    assert done.out.startswith("model.py:15: step 26: error TL250 dead-relu\n")
    assert "15 |         self.act = nn.ReLU()\n   |         ^^^^^^^^^^^^^^^^^^^^\n" in done.out
    later = os.path.getmtime(folder / "run.tlr") + 100
    os.utime(folder / "model.py", (later, later))
    done = trainlint("replay", recording, "--select", "dead-relu")
    assert "nn.ReLU()" not in done.out
    assert "model.py:15" in done.out


@pytest.mark.parametrize("form", FORMATS)
def test_every_format_of_check_is_there_and_may_go_to_a_file(folder, recording, trainlint, form):
    arguments = ("replay", recording, "--select", "dead-relu", "--output-format", form)
    done = trainlint(*arguments)
    assert done.code == 1
    assert "model.py" in done.out
    assert trainlint(*arguments, "-o", "out/told").out == ""
    assert (folder / "out" / "told").read_text() == done.out


def test_exit_codes_and_quiet_are_as_for_check(recording, trainlint):
    done = trainlint("replay", recording, "--select", "dead-relu", "--exit-zero", "-q")
    assert done.code == 0
    assert "Found" not in done.out
    assert trainlint("replay", recording, "--statistics", "--select", "dead-relu").out == (
        "1  TL250  error  dead-relu\nFound 1 diagnosis (1 error) in 40 steps.\n"
    )
    assert trainlint("replay", recording, "--statistics", "--output-format", "sarif").code == 2
    assert trainlint("replay", recording, "-o", recording).code == 2


@pytest.mark.parametrize("kind", ["missing", "folder", "text", "empty", "cut off", "newer"])
def test_a_bad_file_is_one_line_and_exit_2(folder, recording, trainlint, kind):
    path = folder / recording
    if kind in {"missing", "folder"}:
        path.unlink()
    if kind == "folder":
        path.mkdir()
    elif kind == "text":
        path.write_text("loss\n" * 1000)
    elif kind == "empty":
        path.write_bytes(b"")
    elif kind == "cut off":
        path.write_bytes(path.read_bytes()[:9000])
    elif kind == "newer":
        connection = sqlite3.connect(path)
        connection.execute("PRAGMA user_version = 9")
        connection.close()
    done = trainlint("replay", recording)
    assert done.code == 2
    assert done.out == ""
    assert done.err.startswith("error: run.tlr: ")
    assert done.err.count("\n") == 1


def test_a_thinned_recording_says_that_it_is(folder, runs, trainlint):
    with Recorder.create(folder / "run.tlr", {}, limit=2**18) as recorder:
        for number in range(1, 900):
            recorder.write(runs.measured(number))
    done = trainlint("replay", "run.tlr", "--select", "dead-relu")
    assert done.code == 0
    assert done.err.startswith("note: run.tlr was full")
    assert trainlint("replay", "run.tlr", "--select", "dead-relu", "-q").err == ""


def test_a_detector_that_fails_is_left_out_with_one_line(recording, trainlint, monkeypatch):
    from trainlint.rules.activation import dead_relu  # noqa: PLC0415

    def broken(_, step):
        raise ZeroDivisionError(step.number)

    monkeypatch.setattr(dead_relu.Detector, "observe", broken)
    done = trainlint("replay", recording, "--select", "dead-relu")
    assert done.code == 0
    assert (
        done.err == "warning: dead-relu is left out: its detector failed (ZeroDivisionError: 1)\n"
    )


TRAINING = """\
import sys
import torch
import trainlint
from torch import nn

torch.manual_seed(0)
layers = [layer for _ in range(8) for layer in (nn.Linear(32, 32), nn.Sigmoid())]
model = nn.Sequential(*layers, nn.Linear(32, 4))
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
with trainlint.watch(
    model, optimizer, recording="run.tlr", live=True, thresholds={"vanishing-gradient": {}}
) as monitor:
    for _ in range(60):
        inputs, targets = torch.randn(16, 32), torch.randint(0, 4, (16,))
        optimizer.zero_grad()
        nn.functional.cross_entropy(model(inputs), targets).backward()
        optimizer.step()
for one in monitor.diagnoses:
    print(one.moment.step, one.code, one.message)
"""


@pytest.mark.slow
def test_a_real_training_is_replayed_as_it_was_judged(folder, trainlint, torched):
    (folder / "train.py").write_text(TRAINING)
    done = torched.run(["train.py"], cwd=folder)
    assert done.returncode == 0, done.stderr
    live = done.stdout.splitlines()
    assert any("TL901" in line for line in live)
    assert "warning TL901 vanishing-gradient  step" in done.stderr
    assert "The training likely suffers" in done.stderr
    found = json.loads(trainlint("replay", "run.tlr", "--output-format", "json").out)["diagnoses"]
    again = [f"{one['moment']['step']} {one['code']} {one['message']}" for one in found]
    assert sorted(again) == sorted(live)
    assert {one["path"] for one in found} == {"train.py"}
