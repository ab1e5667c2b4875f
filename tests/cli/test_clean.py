"""`trainlint clean` deletes what `trainlint check` has kept."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest


@pytest.fixture
def folder(tmp_path):
    """Return a folder with enough files that a cache pays."""
    script = "import torch.nn.functional as F\nloss = F.cross_entropy(F.softmax(net(x), 1), y)\n"
    (tmp_path / "train.py").write_text(script)
    for number in range(9):
        (tmp_path / f"other_{number}.py").write_text("import torch\n")
    return tmp_path


def trainlint(folder, *arguments):
    return subprocess.run(
        [sys.executable, "-m", "trainlint", *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_check_keeps_a_cache_and_clean_deletes_it(folder):
    assert trainlint(folder, "check").returncode == 1
    assert (folder / ".trainlint_cache" / "cache.sqlite").exists()
    done = trainlint(folder, "clean")
    assert (done.returncode, done.stdout, done.stderr) == (0, "Removed ./.trainlint_cache\n", "")
    assert not (folder / ".trainlint_cache").exists()
    assert trainlint(folder, "clean").stdout == ""


def test_clean_also_deletes_what_a_killed_process_has_left_beside_a_file(folder):
    left = folder / "sub" / ".trainlint-abcd_123.tmp"
    left.parent.mkdir()
    left.write_text("import torch\n")
    assert trainlint(folder, "clean").stdout == ""  # it may be about to take the place of a file
    os.utime(left, (0, 0))
    assert trainlint(folder, "clean").stdout == f"Removed ./sub/{left.name}\n"
    assert os.listdir(left.parent) == []


def test_no_cache_keeps_none_and_a_folder_can_be_named(folder):
    trainlint(folder, "check", "--no-cache")
    assert not (folder / ".trainlint_cache").exists()
    trainlint(folder, "check", "--cache-dir", "elsewhere")
    assert (folder / "elsewhere" / "cache.sqlite").exists()
    assert not (folder / ".trainlint_cache").exists()


def test_the_cache_is_not_linted_and_what_is_said_stays_the_same(folder):
    first = trainlint(folder, "check", "--output-format", "json")
    second = trainlint(folder, "check", "--output-format", "json")
    assert first.returncode == second.returncode == 1
    assert first.stdout == second.stdout


def test_for_a_few_files_no_cache_is_opened(tmp_path):
    (tmp_path / "train.py").write_text("import torch\n")
    trainlint(tmp_path, "check")
    assert not (tmp_path / ".trainlint_cache").exists()
