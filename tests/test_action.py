"""The GitHub Action is valid, and its steps do what they say when they are run here."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from importlib.resources import files
from pathlib import Path

import jsonschema
import pytest
from ruamel.yaml import YAML

import trainlint

CHECKOUT = Path(trainlint.__file__).parents[1]
ACTION = CHECKOUT / "action.yml"
pytestmark = pytest.mark.skipif(
    not ACTION.is_file(), reason="trainlint is installed from a wheel, which has no action"
)

BROKEN = """\
import torch.nn.functional as F


def loss_of(net, inputs, targets):
    return F.cross_entropy(F.softmax(net(inputs), dim=1), targets)
"""
EXPRESSION = re.compile(r"\$\{\{ *(.+?) *\}\}")


@pytest.fixture(scope="module")
def action():
    """Return the action, parsed."""
    return YAML(typ="safe").load(ACTION.read_text())


@pytest.fixture(scope="module")
def runner(tmp_path_factory):
    """Return the folder of what a runner keeps for the time of a job."""
    return tmp_path_factory.mktemp("runner")


@pytest.fixture(scope="module")
def step(action, runner):
    """Return a function that runs the shell lines of a step as GitHub does."""

    def run(name, folder, **inputs):
        known = {f"inputs.{key}": str(one["default"]) for key, one in action["inputs"].items()}
        known |= {f"inputs.{key.replace('_', '-')}": value for key, value in inputs.items()}
        known |= {
            "github.action_path": str(CHECKOUT),
            "runner.temp": str(runner),
            "steps.python.outputs.python-path": sys.executable,
        }
        (found,) = (one for one in action["runs"]["steps"] if one.get("name") == name)
        assert found["shell"] == "bash"
        assert not EXPRESSION.search(found["run"])
        env = {
            key: EXPRESSION.sub(lambda match: known[match[1]], value)
            for key, value in found["env"].items()
        }
        return subprocess.run(
            ["bash", "--noprofile", "--norc", "-e", "-o", "pipefail", "-c", found["run"]],
            cwd=folder,
            env={
                key: value
                for key, value in os.environ.items()
                if not key.startswith(("TRAINLINT_", "PYTHON", "VIRTUAL_ENV"))
            }
            | env,
            capture_output=True,
            text=True,
            check=False,
        )

    return run


@pytest.fixture(scope="module")
def installed(step, runner):
    """Run the step that installs trainlint."""
    done = step("Install trainlint", runner)
    assert done.returncode == 0, done.stderr
    return step


@pytest.fixture
def project(tmp_path):
    """Return a folder with a broken and a clean file."""
    (tmp_path / "a folder").mkdir()
    (tmp_path / "a folder" / "train.py").write_text(BROKEN)
    (tmp_path / "clean.py").write_text("import torch\n")
    return tmp_path


def test_the_action_is_what_github_takes(action):
    vendored = files("check_jsonschema").joinpath("builtin_schemas", "vendor")
    schema = json.loads(vendored.joinpath("github-actions.json").read_text())
    jsonschema.validate(action, schema)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({**action, "runs": {"using": "composite"}}, schema)


def test_each_input_is_used_and_each_expression_is_known(action):
    used = {
        match[1]
        for one in action["runs"]["steps"]
        for value in [*one.get("env", {}).values(), *one.get("with", {}).values()]
        for match in EXPRESSION.finditer(str(value))
    }
    assert {name for name in used if name.startswith("inputs.")} == {
        f"inputs.{name}" for name in action["inputs"]
    }
    ids = {f"steps.{one['id']}" for one in action["runs"]["steps"] if "id" in one}
    assert {name.rpartition(".outputs.")[0] for name in used if name.startswith("steps.")} == ids


def test_trainlint_is_installed_from_the_action_without_torch(installed, runner):
    del installed
    python = runner / "trainlint" / "bin" / "python"
    code = "import importlib.util, trainlint; print(trainlint.__file__, importlib.util.find_spec('torch'))"
    done = subprocess.run(
        [python, "-P", "-c", code], capture_output=True, text=True, check=True, cwd=runner
    )
    path, torch = done.stdout.split()
    assert Path(path).is_relative_to(runner)
    assert torch == "None"


def test_the_action_annotates_and_fails(installed, project):
    done = installed("Lint", project)
    assert (done.returncode, done.stderr) == (1, "")
    (line,) = done.stdout.splitlines()
    assert line.startswith(
        "::error title=TL301 softmax-before-cross-entropy,file=a folder/train.py,line=5,"
    )


def test_the_action_passes_where_all_is_well(installed, project):
    done = installed("Lint", project, paths="clean.py")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_paths_and_arguments_are_words_with_quotes_and_nothing_else(installed, project):
    paths = "clean.py\n  'a folder/train.py'\n"
    done = installed("Lint", project, paths=paths, args='--show-files --exclude "b c/"')
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines() == ["clean.py", "a folder/train.py"]
    done = installed("Lint", project, paths="$(touch${IFS}owned) *.py", args="; `touch owned`")
    assert done.returncode == 2
    assert done.stderr.startswith("error: ")
    assert not (project / "owned").exists()
    # What looks like an option is a path.
    done = installed("Lint", project, paths="--version")
    assert (done.returncode, done.stderr) == (2, "error: --version: no such file or folder\n")


@pytest.mark.parametrize("name", ["paths", "args"])
def test_an_open_quote_is_said_and_nothing_is_linted(installed, project, name):
    done = installed("Lint", project, **{name: "it's.py"})
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.endswith(f"error: the input {name} has an open quote\n")


def test_another_format_goes_to_a_file(installed, project):
    done = installed(
        "Lint", project, output_format="sarif", output_file="reports/a.sarif", args="--exit-zero"
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    document = json.loads((project / "reports" / "a.sarif").read_text())
    assert [one["ruleId"] for one in document["runs"][0]["results"]] == ["TL301"]


def test_a_wrong_format_is_one_line(installed, project):
    done = installed("Lint", project, output_format="xml")
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
