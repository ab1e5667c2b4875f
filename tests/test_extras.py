"""`trainlint[all]` brings every extra, and what needs one that is not there says so in one line."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

PYPROJECT = Path(__file__).parents[1] / "pyproject.toml"
WITHOUT = """
import json, sys
names, arguments = json.loads(sys.argv[1])
sys.modules.update(dict.fromkeys(names))  # an import of one fails as if it were not installed
from trainlint.cli.main import run
sys.exit(run(arguments))
"""
MISSING = {
    "torch": ("torch", ["run", "train.py"]),
    "torch, for a probe": ("torch", ["probe", "train.py:f", "--input", "1,2"]),
    "torch, for a rate": ("torch", ["lr", "train.py:f"]),
    "torch, for a batch": ("torch", ["batch-size", "train.py:f"]),
    "server": ("pygls", ["server"]),
    "configs": ("yaml", ["check", "--isolated", "adam.yaml"]),
    "live": ("textual", ["live", "run.tlr"]),
    "parquet": ("pyarrow", ["export", "run.tlr", "-o", "run.parquet", "--to", "parquet"]),
    "report": ("plotly", ["report", "run.tlr"]),
    "report, templates": ("jinja2", ["report", "run.tlr"]),
    "png": ("matplotlib", ["probe", "net.py:net", "--input", "4,8", "--png", "net.png"]),
    "tensorboard": (
        "tensorboard",
        ["export", "run.tlr", "-o", "events", "--to", "tensorboard"],
    ),
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory, runs):
    """Return a folder with a recording, a configuration and a script."""
    folder = tmp_path_factory.mktemp("extras")
    runs.recorded(folder / "run.tlr", runs.dying())
    (folder / "adam.yaml").write_text("_target_: torch.optim.Adam\nlr: 5\n")
    (folder / "net.py").write_text("from torch import nn\ndef net():\n    return nn.Linear(8, 3)\n")
    (folder / "train.py").write_text("print('ran')\n")
    return folder


def python(code, *arguments, cwd):
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        capture_output=True,
        text=True,
        check=False,
        cwd=cwd,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    return done.returncode, done.stdout, done.stderr


@pytest.mark.parametrize("extra", MISSING)
def test_a_package_that_is_missing_is_one_line_that_names_the_extra(extra, folder):
    if extra in {"png", "tensorboard"}:
        pytest.importorskip("torch")
    package, arguments = MISSING[extra]
    code, _, error = python(WITHOUT, json.dumps(([package], arguments)), cwd=folder)
    (line,) = error.splitlines()
    assert f"pip install 'trainlint[{extra.partition(',')[0]}]'" in line
    assert code == 2


def test_without_torch_the_public_names_say_what_to_install(folder):
    code, out, error = python(
        "import sys; sys.modules['torch'] = None; import trainlint; trainlint.watch", cwd=folder
    )
    assert (code, out) == (1, "")
    last = error.splitlines()[-1]
    assert last == "ImportError: trainlint.watch needs torch: pip install 'trainlint[torch]'"


INTEGRATIONS = """
import importlib, sys

class Nowhere:
    def find_spec(self, name, *_):
        if name.partition(".")[0] in packages:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

sys.meta_path.insert(0, Nowhere())
for name, packages in {
    "ignite": ["ignite"],
    "lightning": ["lightning", "pytorch_lightning"],
    "optuna": ["optuna"],
    "ray": ["ray"],
    "transformers": ["transformers"],
}.items():
    try:
        importlib.import_module(f"trainlint.integrations.{name}")
    except ImportError as error:
        print(error)
"""


def test_an_integration_without_its_framework_says_what_to_install(folder):
    pytest.importorskip("torch")
    code, out, error = python(INTEGRATIONS, cwd=folder)
    assert (code, error) == (0, "")
    assert out.splitlines() == [
        "trainlint.integrations.ignite needs pytorch-ignite: pip install pytorch-ignite",
        "trainlint.integrations.lightning needs Lightning: pip install lightning",
        "trainlint.integrations.optuna needs optuna: pip install optuna",
        "trainlint.integrations.ray needs Ray Tune: pip install 'ray[tune]'",
        "trainlint.integrations.transformers needs transformers: pip install transformers",
    ]


def test_all_brings_every_extra_that_users_need():
    extras = tomllib.loads(PYPROJECT.read_text(encoding="utf-8"))["project"][
        "optional-dependencies"
    ]
    (whole,) = extras["all"]
    inside = whole.removeprefix("trainlint[").removesuffix("]").split(",")
    assert sorted(inside) == sorted(extras.keys() - {"all", "dev", "test", "docs"})
    named = {extra.partition(",")[0] for extra in MISSING}
    assert named == set(inside)
