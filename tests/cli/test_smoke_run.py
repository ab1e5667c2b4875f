"""A smoke run in CI marks the line of the model that makes the sick layer, in the formats of `check`."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from importlib.util import find_spec
from xml.etree import ElementTree as ET

import pytest

pytest.importorskip("torch")

MODEL = """\
from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.first = nn.Linear(8, 64)
        self.act = nn.ReLU()
        self.last = nn.Linear(64, 3)
        nn.init.constant_(self.first.bias, -30.0)

    def forward(self, inputs):
        return self.last(self.act(self.first(inputs)))
"""
TRAIN = """\
import os
import torch
from torch import nn
from nets.model import Net

torch.manual_seed(0)
model = Net()
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
os.makedirs("outputs/1")
os.chdir("outputs/1")  # as Hydra does
for _ in range(1000):
    inputs = torch.randn(512, 8)
    optimizer.zero_grad()
    nn.functional.cross_entropy(model(inputs), inputs[:, :3].argmax(1)).backward()
    optimizer.step()
"""
SICK = MODEL.splitlines().index("        self.act = nn.ReLU()") + 1


@pytest.fixture(scope="module")
def ran(tmp_path_factory, torched):
    """Return the folder of a training that was halted, and what its run has told."""
    folder = tmp_path_factory.mktemp("project")
    (folder / "nets").mkdir()
    (folder / "nets" / "model.py").write_text(MODEL)
    (folder / "train.py").write_text(TRAIN)
    options: tuple[str, ...] = (
        "--halt-on",
        "error",
        "--every",
        "1",
        "--recording",
        str(folder / "run.tlr"),
        "-q",
    )
    if find_spec("tensorboard") is not None:
        options += ("--tensorboard", "board")
    command = ("-m", "trainlint", "run", *options, "--output-format", "github")
    return folder, torched.run([*command, "train.py"], cwd=folder)


@pytest.fixture
def replayed(ran, trainlint, monkeypatch):
    """Return a function that shows the recording in a format."""
    monkeypatch.chdir(ran[0])
    return lambda form: trainlint("replay", "run.tlr", "--output-format", form)


@pytest.mark.slow
def test_a_halted_run_annotates_the_line_that_makes_the_sick_layer(ran, replayed):
    _, done = ran
    assert done.returncode == 1
    lines = [one for one in done.stdout.splitlines() if "TL250" in one]
    (line,) = lines
    assert line.startswith(
        f"::error title=TL250 dead-relu,file=nets/model.py,line={SICK},endLine={SICK}::"
    )
    assert "nets/model.py" in line
    assert "Linear 8→64" in line
    assert line in replayed("github").out.splitlines()


@pytest.mark.slow
def test_the_recording_of_the_run_says_the_same_as_sarif_junit_and_json(replayed):
    (run,) = json.loads(replayed("sarif").out)["runs"]
    (result,) = [one for one in run["results"] if one["ruleId"] == "TL250"]
    place = result["locations"][0]
    assert place["physicalLocation"]["artifactLocation"]["uri"] == "nets/model.py"
    region = place["physicalLocation"]["region"]
    assert (region["startLine"], region["startColumn"], region["endColumn"]) == (SICK, 9, 29)
    assert place["logicalLocations"] == [{"name": "act", "decoratedName": "act (ReLU)"}]
    suites = ET.fromstring(replayed("junit").out)  # noqa: S314 - our own
    (case,) = [one for one in suites.iter("testcase") if one.get("name", "").endswith("TL250")]
    assert (case.get("classname"), case.get("line")) == ("nets/model", str(SICK))
    document = json.loads(replayed("json").out)
    (said,) = [one for one in document["diagnoses"] if one["code"] == "TL250"]
    assert (said["path"], said["span"]["line"]) == ("nets/model.py", SICK)
    assert said["moment"]["layer"] == "act"


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_run_tells_tensorboard_in_a_folder_beside_the_script(ran):
    accumulators = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    folder, _ = ran
    assert not (folder / "outputs" / "1" / "board").exists()
    events = accumulators.EventAccumulator(str(folder / "board"))
    events.Reload()
    # The first loss was there before the first step, at which the monitor came.
    assert [one.step for one in events.Scalars("trainlint/loss")][:3] == [2, 3, 4]
    assert "trainlint/diagnoses/TL250 dead-relu/text_summary" in events.Tags()["tensors"]


def test_a_run_that_never_trains_has_an_empty_document_and_keeps_its_own_status(tmp_path):
    (tmp_path / "train.py").write_text(
        "import os, sys\nchild = os.fork()\nif child:\n    os.waitpid(child, 0)\n    print('hello')\nsys.exit(3)\n"
    )

    def run(output, **env):
        return subprocess.run(
            [
                *(sys.executable, "-m", "trainlint", "run"),
                *("--output-format", "json", "-o", output, "train.py"),
            ],
            capture_output=True,
            text=True,
            cwd=tmp_path,
            check=False,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), **env},
        )

    done = run("/dev/stdout")
    assert done.returncode == 3
    document = json.loads(done.stdout.removeprefix("hello\n"))
    assert (document["diagnoses"], document["steps"]) == ([], 0)
    assert run("out/said.json", RANK="1").returncode == 3
    assert not (tmp_path / "out").exists()
    over = run("train.py")
    assert over.returncode == 2
    assert over.stderr == "error: train.py: is read, so the output cannot be written over it\n"
