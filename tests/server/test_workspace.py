"""What a workspace says of unsaved texts is what the command line says of the same texts on disk."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from trainlint.core.config import Config, resolve
from trainlint.core.hierarchy import Hierarchy
from trainlint.server.workspace import Workspace
from trainlint.static.engine import lint_files

PROGRAMS = Path(__file__).parents[2] / "bench" / "accuracy" / "programs"
SEVERAL_FILES = sorted(
    folder.name for folder in PROGRAMS.iterdir() if len(list(folder.glob("bad/**/*.py"))) > 1
)


def texts_in(folder):
    """Return the texts of the Python files in a folder, by their paths in it."""
    return {str(one.relative_to(folder)): one.read_text() for one in folder.rglob("*.py")}


@pytest.fixture
def workspace(catalogue, tmp_path):
    """Return a workspace of an empty folder."""
    made = Workspace(catalogue, lambda: Hierarchy(catalogue))
    made.set_roots((str(tmp_path),))
    return made


@pytest.fixture
def on_disk(catalogue):
    """Return a function that lints a folder as the command does."""

    def lint(folder):
        paths = sorted(str(one) for one in folder.rglob("*.py"))
        return {one.path: one.diagnoses for one in lint_files(paths, resolve(catalogue, Config()))}

    return lint


@pytest.mark.parametrize(("first", "last"), [("bad", "mended"), ("mended", "bad")])
@pytest.mark.parametrize("program", SEVERAL_FILES)
def test_typing_one_program_into_another_says_what_the_disk_would(
    program, first, last, workspace, on_disk, tmp_path
):
    before, after = (texts_in(PROGRAMS / program / side) for side in (first, last))
    assert before.keys() == after.keys()
    shutil.copytree(PROGRAMS / program / first, tmp_path, dirs_exist_ok=True)
    typed = {}
    for name in sorted(before):
        # One file after the other is opened and mended; the rest is still as on disk.
        path = str(tmp_path / name)
        typed[path] = before[name]
        workspace.set_texts(typed)
        workspace.lint(path)
        typed[path] = after[name]
        workspace.set_texts(typed)
        workspace.lint(path)
    found = {path: workspace.lint(path).report.diagnoses for path in typed}
    shutil.copytree(PROGRAMS / program / last, tmp_path, dirs_exist_ok=True)
    assert found == on_disk(tmp_path)
    # All are thrown away, and what is on disk now holds.
    workspace.set_texts({})
    (tmp_path / "other.py").write_text("")
    path = min(typed)
    workspace.look_again()
    workspace.set_texts({path: after[os.path.relpath(path, tmp_path)]})
    assert workspace.lint(path).report.diagnoses == found[path]
