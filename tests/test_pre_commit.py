"""The hooks, as pre-commit runs them: it installs this checkout and lints a repository with it.

What is installed is the checkout as it is now, with what is not committed yet. The network is needed
for the packages that trainlint needs, and for nothing else.
"""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

CHECKOUT = Path(__file__).parents[1]
HOOKS = CHECKOUT / ".pre-commit-hooks.yaml"

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed"),
    pytest.mark.skipif(
        importlib.util.find_spec("pre_commit") is None, reason="pre-commit is not installed"
    ),
    pytest.mark.skipif(
        not (HOOKS.is_file() and (CHECKOUT / ".git").exists()),
        reason="the tests do not lie in a git checkout, which pre-commit could install",
    ),
]

CLEAN = "import torch\n\nx = torch.zeros(3)\n"
BAD = """\
import torch.nn.functional as F


def loss_of(net, inputs, targets):
    return F.cross_entropy(F.softmax(net(inputs), dim=1), targets)
"""
FIXABLE = """\
from torch import nn


def clip(net):
    nn.utils.clip_grad_norm(net.parameters(), 1.0)  # safe to mend
"""
FIXED = FIXABLE.replace("clip_grad_norm(", "clip_grad_norm_(")


def notebook(source: str) -> str:
    """Return a notebook with one cell of code."""
    cell: dict[str, object] = {
        "cell_type": "code",
        "execution_count": None,
        "id": "a",
        "metadata": {},
        "outputs": [],
        "source": source.splitlines(keepends=True),
    }
    document = {"cells": [cell], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
    return json.dumps(document, indent=1) + "\n"


class Done(NamedTuple):
    """What a command left."""

    code: int
    out: str


class Repository:
    """A repository of a user, with the hooks in it."""

    def __init__(self, folder: Path, environment: dict[str, str]) -> None:
        self.folder = folder
        self._environment = environment

    def run(self, *command: str) -> Done:
        """Run a command in the repository."""
        done = subprocess.run(
            command,
            cwd=self.folder,
            env=self._environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        return Done(done.returncode, done.stdout)

    def git(self, *arguments: str) -> str:
        """Run git, which must succeed."""
        done = self.run("git", *arguments)
        assert done.code == 0, done.out
        return done.out.strip()

    def stage(self, **files: str) -> None:
        """Let these be the only files that are staged beside the configuration of pre-commit."""
        self.git("reset", "--quiet", "--hard")
        for name, text in files.items():
            path = self.folder / name.replace("__", ".")
            path.write_text(text)
            self.git("add", path.name)

    def hook(self, name: str, *arguments: str) -> Done:
        """Run one hook over what is staged."""
        command = (sys.executable, "-m", "pre_commit", "run", "--color", "never", name)
        return self.run(*command, *arguments)


@pytest.fixture(scope="module")
def environment(tmp_path_factory):
    """Return the environment in which git and pre-commit run, without what the user has set."""
    home = tmp_path_factory.mktemp("home")
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("GIT_", "PRE_COMMIT", "SKIP", "TRAINLINT"))
    }
    return {
        **kept,
        "PRE_COMMIT_HOME": str(home / "pre-commit"),
        # The versions with which everything is known to work.
        "PIP_CONSTRAINT": str(CHECKOUT / "constraints.txt"),
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CONFIG_NOSYSTEM": "1",
        **{f"GIT_{who}_NAME": "Somebody" for who in ("AUTHOR", "COMMITTER")},
        **{f"GIT_{who}_EMAIL": "somebody@example.com" for who in ("AUTHOR", "COMMITTER")},
        # A checkout may belong to another user, as it does in a container.
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": "safe.directory",
        "GIT_CONFIG_VALUE_0": "*",
    }


@pytest.fixture(scope="module")
def source(tmp_path_factory, environment):
    """Return a clone of the checkout, with what is not committed yet, and its commit."""
    clone = Repository(tmp_path_factory.mktemp("source") / "trainlint", environment)
    above = Repository(clone.folder.parent, environment)
    above.git("clone", "--quiet", "--no-hardlinks", str(CHECKOUT), str(clone.folder))
    listed = Repository(CHECKOUT, environment).git(
        "ls-files", "-z", "--cached", "--others", "--exclude-standard"
    )
    for name in filter(None, listed.split("\0")):
        here, there = CHECKOUT / name, clone.folder / name
        if here.is_file():
            there.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(here, there)
        else:
            there.unlink(missing_ok=True)
    clone.git("add", "--all")
    clone.git("commit", "--quiet", "--allow-empty", "--message", "As it is now")
    return clone.folder, clone.git("rev-parse", "HEAD")


@pytest.fixture(scope="module")
def repository(tmp_path_factory, environment, source):
    """Return a repository in which pre-commit has the hooks of the checkout."""
    user = Repository(tmp_path_factory.mktemp("user"), environment)
    user.git("init", "--quiet", ".")
    path, commit = source
    (user.folder / ".pre-commit-config.yaml").write_text(
        f"repos:\n- repo: {path}\n  rev: {commit}\n"
        "  hooks:\n  - id: trainlint-check\n  - id: trainlint-fix\n"
    )
    user.git("add", "--all")
    user.git("commit", "--quiet", "--message", "Begin")
    done = user.run(sys.executable, "-m", "pre_commit", "install-hooks", "--color", "never")
    assert done.code == 0, done.out
    return user


@pytest.mark.usefixtures("repository")
def test_the_hooks_are_installed_without_torch(environment):
    packages = {
        path.name for path in Path(environment["PRE_COMMIT_HOME"]).glob("*/*/lib/*/site-packages/*")
    }
    assert {"click", "rich", "trainlint"} <= packages
    assert not {name for name in packages if name.startswith(("torch", "numpy"))}


def test_a_clean_file_passes(repository):
    repository.stage(a__py=CLEAN, b__ipynb=notebook(CLEAN))
    for hook in ("trainlint-check", "trainlint-fix"):
        done = repository.hook(hook)
        assert (done.code, done.out.rstrip().endswith("Passed")) == (0, True), done.out


@pytest.mark.parametrize("name", ["a__py", "a__ipynb"])
def test_a_file_with_a_diagnosis_fails_and_is_shown(repository, name):
    repository.stage(**{name: notebook(BAD) if name == "a__ipynb" else BAD})
    done = repository.hook("trainlint-check")
    assert done.code == 1, done.out
    assert "trainlint check" in done.out
    place = "a.ipynb:cell 1:5:12" if name == "a__ipynb" else "a.py:5:12"
    assert f"{place}: error TL301" in done.out
    assert "files were modified" not in done.out


@pytest.mark.parametrize("name", ["a__py", "a__ipynb"])
def test_what_can_be_mended_is_mended_and_passes_then(repository, name):
    before, after = (notebook(one) if name == "a__ipynb" else one for one in (FIXABLE, FIXED))
    repository.stage(**{name: before})
    done = repository.hook("trainlint-check")
    assert (done.code, "TL521" in done.out) == (1, True), done.out
    done = repository.hook("trainlint-fix")
    assert done.code == 1, done.out
    assert "files were modified by this hook" in done.out
    path = repository.folder / name.replace("__", ".")
    assert path.read_text() == after
    repository.git("add", path.name)
    for hook in ("trainlint-fix", "trainlint-check"):
        assert repository.hook(hook).code == 0


def test_files_of_other_kinds_and_no_files_pass(repository):
    repository.stage(notes__txt="softmax\n")
    for hook in ("trainlint-check", "trainlint-fix"):
        for arguments in ((), ("--files",), ("--files", "notes.txt")):
            done = repository.hook(hook, *arguments)
            assert (done.code, "Skipped" in done.out) == (0, True), done.out


def test_what_the_configuration_leaves_out_is_left_out_though_it_is_named(repository):
    repository.stage(a__py=BAD, trainlint__toml='extend-exclude = ["a.py"]\n')
    done = repository.hook("trainlint-check")
    assert done.code == 0, done.out
    repository.stage(a__py=BAD, trainlint__toml="")
    assert repository.hook("trainlint-check").code == 1


def test_a_broken_file_fails_with_one_line(repository):
    repository.stage(a__py="def f(:\n")
    done = repository.hook("trainlint-check")
    assert (done.code, "exit code: 2" in done.out) == (1, True), done.out
    assert "error: a.py:1: syntax error: invalid syntax" in done.out


def test_the_hooks_are_valid_for_pre_commit(repository):
    done = repository.run(sys.executable, "-m", "pre_commit", "validate-manifest", str(HOOKS))
    assert done == (0, "")
