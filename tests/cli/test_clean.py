"""`trainlint clean` deletes what `trainlint check` has kept."""

from __future__ import annotations

import subprocess
import sys


def trainlint(folder, *arguments):
    return subprocess.run(
        [sys.executable, "-m", "trainlint", *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_check_keeps_a_cache_and_clean_deletes_it(tmp_path):
    (tmp_path / "train.py").write_text("import torch\n")
    assert trainlint(tmp_path, "check").returncode == 0
    assert (tmp_path / ".trainlint_cache" / "cache.sqlite").exists()
    done = trainlint(tmp_path, "clean")
    assert (done.returncode, done.stdout, done.stderr) == (0, "Removed ./.trainlint_cache\n", "")
    assert not (tmp_path / ".trainlint_cache").exists()
    assert trainlint(tmp_path, "clean").stdout == ""


def test_no_cache_keeps_none_and_a_folder_can_be_named(tmp_path):
    (tmp_path / "train.py").write_text("import torch\n")
    trainlint(tmp_path, "check", "--no-cache")
    assert not (tmp_path / ".trainlint_cache").exists()
    trainlint(tmp_path, "check", "--cache-dir", "elsewhere")
    assert (tmp_path / "elsewhere" / "cache.sqlite").exists()
    assert not (tmp_path / ".trainlint_cache").exists()


def test_the_cache_is_not_linted_and_what_is_said_stays_the_same(tmp_path):
    script = "import torch.nn.functional as F\nloss = F.cross_entropy(F.softmax(net(x), 1), y)\n"
    (tmp_path / "train.py").write_text(script)
    first = trainlint(tmp_path, "check", "--output-format", "json")
    second = trainlint(tmp_path, "check", "--output-format", "json")
    assert first.returncode == second.returncode == 1
    assert first.stdout == second.stdout
