"""What `trainlint check` does with fixes: makes, shows, counts them."""

from __future__ import annotations

import codecs
import json
import os
import re
import subprocess
import sys

import pytest

from trainlint.static import fixer

BAD = """\
import torch.nn.functional as F
from torch.cuda.amp import autocast


def train(net, optimizer, loader):
    net.train()
    for inputs, targets in loader:
        optimizer.zero_grad()
        with autocast():
            outputs = F.softmax(net(inputs), dim=1)
            loss = F.cross_entropy(outputs, targets)
        loss.backward()
        optimizer.step()
"""
"""Breaks TL301, whose fix is unsafe, and TL807, whose fix is safe."""

SAFE = BAD.replace("torch.cuda.amp", "torch.amp").replace("autocast()", 'autocast("cuda")')
MENDED = SAFE.replace("F.softmax(net(inputs), dim=1)", "net(inputs)")
RULES = ("--select", "TL301,TL807")


@pytest.fixture
def bad(folder):
    """Return a script in the current folder with a safe and an unsafe fix."""
    path = folder / "train.py"
    path.write_text(BAD)
    return path


@pytest.fixture
def check(bad, trainlint):
    """Return a function that lints the current folder with the two rules."""
    del bad
    return lambda *arguments, **keywords: trainlint("check", *RULES, *arguments, **keywords)


def test_without_fix_nothing_is_written_and_the_summary_tells_how(check, bad):
    done = check("--output-format", "concise")
    assert done.code == 1
    lines = done.out.splitlines()
    assert lines[0].startswith("train.py:9:14: warning TL807 [*] deprecated-cuda-amp: ")
    assert lines[1].startswith("train.py:11:20: error TL301 softmax-before-cross-entropy: ")
    assert lines[2:] == [
        "Found 2 diagnoses (1 error, 1 warning) in 1 file.",
        "[*] 1 fixable with `--fix` (1 unsafe fix available with `--fix --unsafe-fixes`).",
    ]
    assert bad.read_text() == BAD


def test_unsafe_fixes_alone_change_what_is_called_fixable_and_no_file(check, bad):
    done = check("--output-format", "concise", "--unsafe-fixes")
    assert done.out.count(" [*] ") == 2
    assert done.out.endswith("[*] 2 fixable with `--fix --unsafe-fixes`.\n")
    assert bad.read_text() == BAD


def test_the_full_output_shows_what_a_fix_changes_below_the_frame(check):
    out = check().out
    assert (
        """\
fix: Hand the logits to the loss (unsafe: it changes the training or its checkpoints)
   |
 9 |         with autocast():
   -             outputs = F.softmax(net(inputs), dim=1)
10 +             outputs = net(inputs)
11 |             loss = F.cross_entropy(outputs, targets)
   |
"""
        in out
    )
    # A second run may answer from what the first has kept.
    assert check().out == out


def test_fix_makes_the_safe_fixes_and_shows_what_is_left(check, bad):
    done = check("--fix", "--output-format", "concise")
    assert done.code == 1
    assert done.out.splitlines()[1:] == [
        "Found 2 diagnoses (1 fixed, 1 remaining: 1 error) in 1 file.",
        "1 unsafe fix available with `--fix --unsafe-fixes`.",
    ]
    assert bad.read_text() == SAFE


def test_fix_with_unsafe_fixes_makes_all_and_exits_with_0(check, bad):
    done = check("--fix", "--unsafe-fixes")
    assert done == (0, "Found 2 diagnoses (2 fixed, 0 remaining) in 1 file.\n", "")
    assert bad.read_text() == MENDED
    assert check("--fix", "--unsafe-fixes") == (0, "All checks passed.\n", "")


def test_no_fix_takes_a_fix_back(check, bad):
    assert "fixed" not in check("--fix", "--no-fix").out
    assert bad.read_text() == BAD


def test_exit_non_zero_on_fix_tells_of_a_change(check):
    assert check("--fix", "--unsafe-fixes", "--exit-non-zero-on-fix").code == 1
    assert check("--fix", "--unsafe-fixes", "--exit-non-zero-on-fix").code == 0


def test_show_fixes_lists_what_was_fixed_by_file_and_rule(check, folder):
    (folder / "b.py").write_text(BAD)
    done = check("--fix", "--unsafe-fixes", "--show-fixes")
    assert (
        done.out
        == """\
Fixed 4 diagnoses:
- b.py:
    1 × TL807 (deprecated-cuda-amp)
    1 × TL301 (softmax-before-cross-entropy)
- train.py:
    1 × TL807 (deprecated-cuda-amp)
    1 × TL301 (softmax-before-cross-entropy)

Found 4 diagnoses (4 fixed, 0 remaining) in 2 files.
"""
    )
    assert "Fixed" not in check("--fix", "--show-fixes").out


def test_fix_only_shows_nothing_of_what_is_left_and_exits_with_0(check, bad):
    done = check("--fix-only")
    assert done == (
        0,
        "Fixed 1 diagnosis (1 unsafe fix available with `--unsafe-fixes`).\n",
        "",
    )
    assert bad.read_text() == SAFE
    assert check("--fix-only").out.startswith("No diagnosis was fixed (1 unsafe fix")
    assert check("--fix-only", "-q") == (0, "", "")
    assert check("--fix-only", "--unsafe-fixes", "--exit-non-zero-on-fix").code == 1
    assert bad.read_text() == MENDED


def test_fix_only_says_what_was_fixed_where_the_output_goes(check, bad, folder):
    said = "Fixed 2 diagnoses.\n"
    assert check("--fix-only", "--unsafe-fixes", "-o", "x.txt", "--show-fixes") == (0, "", "")
    assert (folder / "x.txt").read_text().startswith("Fixed 2 diagnoses:\n- train.py:\n")
    bad.write_text(BAD)
    # As in ruff, a format for machines has nothing of it.
    assert check("--fix-only", "--unsafe-fixes", "--output-format", "json") == (0, "", said)
    bad.write_text(BAD)
    assert check("--fix-only", "--unsafe-fixes", "--output-format", "grouped") == (0, said, "")


def test_statistics_count_what_fix_only_leaves(check, bad):
    done = check("--fix-only", "--statistics")
    left = "1  TL301  error  softmax-before-cross-entropy\n"
    fixed = "Fixed 1 diagnosis (1 unsafe fix available with `--unsafe-fixes`).\n"
    assert done == (0, left + fixed, "")
    assert bad.read_text() == SAFE


EMPTY = " "
DIFF = f"""\
--- train.py
+++ train.py
@@ -1,12 +1,12 @@
 import torch.nn.functional as F
-from torch.cuda.amp import autocast
+from torch.amp import autocast
{EMPTY}
{EMPTY}
 def train(net, optimizer, loader):
     net.train()
     for inputs, targets in loader:
         optimizer.zero_grad()
-        with autocast():
+        with autocast("cuda"):
             outputs = F.softmax(net(inputs), dim=1)
             loss = F.cross_entropy(outputs, targets)
         loss.backward()
"""


def test_diff_shows_what_would_change_writes_nothing_and_exits_with_1(check, bad):
    done = check("--diff")
    said = "Would fix 1 diagnosis (1 unsafe fix available with `--unsafe-fixes`).\n"
    assert done == (1, DIFF, said)
    assert bad.read_text() == BAD
    assert check("--diff", "-q") == (1, DIFF, "")
    assert check("--diff", "--exit-zero").code == 0


def test_diff_of_nothing_exits_with_0(check, bad):
    bad.write_text(SAFE)
    done = check("--diff")
    said = "No diagnosis would be fixed (1 unsafe fix available with `--unsafe-fixes`).\n"
    assert done == (0, "", said)
    bad.write_text(MENDED)
    assert check("--diff") == (0, "", "No diagnosis would be fixed.\n")


@pytest.mark.parametrize("other", ["--show-fixes", "--statistics"])
def test_diff_stands_without_lists(check, other):
    done = check("--diff", other)
    assert done == (2, "", f"error: --diff and {other} exclude each other\n")


def test_an_exit_code_is_asked_for_in_one_way(check):
    done = check("--fix", "--exit-zero", "--exit-non-zero-on-fix")
    said = "error: --exit-zero and --exit-non-zero-on-fix exclude each other\n"
    assert done == (2, "", said)


@pytest.mark.parametrize("other", ["--output-file=x.txt", "--output-format=json", "-ox.txt"])
def test_a_diff_has_one_form_and_one_place(check, folder, other):
    said = "--output-format" if "format" in other else "--output-file"
    done = check("--diff", other)
    assert done == (2, "", f"error: --diff and {said} exclude each other\n")
    assert not (folder / "x.txt").exists()


def test_the_format_that_is_set_for_all_runs_has_no_part_in_a_diff(check, monkeypatch):
    plain = check("--diff")
    monkeypatch.setenv("TRAINLINT_OUTPUT_FORMAT", "github")
    assert check("--diff") == plain


def test_show_fixes_without_fixes_has_none_to_show(check):
    assert check("--show-fixes") == check()


def test_the_source_from_standard_input_comes_out_mended_and_the_rest_aside(check):
    done = check("--fix", "-", "--output-format", "concise", stdin=BAD.encode())
    assert (done.code, done.out) == (1, SAFE)
    assert done.err.startswith("-:11:20: error TL301 ")
    assert "(1 fixed, 1 remaining: 1 error)" in done.err
    done = check("--fix-only", "--unsafe-fixes", "-", stdin=BAD.encode())
    assert done == (0, MENDED, "Fixed 2 diagnoses.\n")
    assert check("--fix", "-q", "-", stdin=MENDED.encode()) == (0, MENDED, "")


def test_standard_input_that_is_no_python_comes_out_as_it_went_in(check):
    done = check("--fix", "-q", "-", stdin=b"def f(:\r\n")
    assert done == (2, "def f(:\r\n", "error: -:1: syntax error: invalid syntax\n")


def test_the_diff_of_standard_input_has_the_name_that_is_given(check):
    done = check("--diff", "-", "--stdin-filename", "src/a.py", stdin=BAD.encode())
    assert (done.code, done.out) == (1, DIFF.replace("train.py", "src/a.py"))


def test_the_machine_formats_tell_what_is_left(check):
    done = check("--fix", "--output-format", "json")
    assert [one["code"] for one in json.loads(done.out)["diagnoses"]] == ["TL301"]
    done = check("--fix", "--unsafe-fixes", "--output-format", "github")
    assert done == (0, "", "")


def test_statistics_count_what_is_left(check):
    done = check("--fix", "--statistics")
    assert done.out.splitlines()[0] == "1  TL301  error  softmax-before-cross-entropy"


def test_what_is_silenced_or_off_is_not_fixed(check, bad):
    silenced = BAD.replace("autocast():", "autocast():  # noqa: TL807")
    bad.write_text(silenced)
    check("--fix")
    assert bad.read_text() == silenced
    bad.write_text(BAD)
    check("--fix", "--unsafe-fixes", "--ignore", "TL301")
    assert bad.read_text() == SAFE


@pytest.mark.parametrize("what", ["file", "folder"])
def test_what_is_read_only_is_one_line_and_the_rest_is_fixed(check, bad, folder, what):
    (folder / "deep").mkdir()
    (folder / "deep" / "b.py").write_text(BAD)
    place = folder / "deep" if what == "folder" else folder / "deep" / "b.py"
    place.chmod(0o555)
    try:
        done = check("--fix", "-q", "--output-format", "concise")
    finally:
        place.chmod(0o755)
    name = os.path.join("deep", "b.py")
    it = "its folder" if what == "folder" else "it"
    assert done.code == 2
    assert done.err == f"error: {name}: cannot be written: {it} is read-only\n"
    assert done.out.count("TL807") == 1
    assert (folder / "deep" / "b.py").read_text() == BAD
    assert bad.read_text() == SAFE


def test_a_fix_that_would_break_the_file_is_said_and_not_made(check, bad, monkeypatch):
    monkeypatch.setattr(fixer, "apply_fixes", lambda *_: ("def f(:\n", []))
    done = check("--fix", "-q", "--output-format", "concise")
    assert done.code == 1
    assert done.err == (
        "warning: train.py:9:14: the fix of deprecated-cuda-amp is not made: it would break the file"
        " (syntax error: invalid syntax)\n"
    )
    assert done.out.count("\n") == 2
    assert bad.read_text() == BAD


def test_a_file_is_fixed_through_its_link_which_stays(check, bad, folder):
    bad.rename(folder / "real.txt")
    bad.symlink_to("real.txt")
    assert check("--fix", "-q").code == 1
    assert os.readlink(bad) == "real.txt"
    assert (folder / "real.txt").read_text() == SAFE


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize(
    ("bom", "cookie"),
    [(b"", None), (b"", "latin-1"), (codecs.BOM_UTF8, None), (codecs.BOM_UTF8, "utf-8")],
)
@pytest.mark.parametrize("last", [True, False])
def test_git_applies_the_diff_and_gets_what_fix_writes(folder, end, bom, cookie, last):
    head = "# är\n" if cookie is None else f"# coding: {cookie}\n# är\n"
    text = (head + BAD + "x = 'ü'").replace("\n", end) + end * last
    data = bom + text.encode(cookie or "utf-8")
    (folder / "train.py").write_bytes(data)
    arguments = [sys.executable, "-m", "trainlint", "check", *RULES, "--unsafe-fixes", "-q"]
    diff = subprocess.run([*arguments, "--diff"], capture_output=True, check=False)
    assert (diff.returncode, diff.stderr) == (1, b"")
    assert (folder / "train.py").read_bytes() == data
    subprocess.run(["git", "apply", "-p0", "-"], input=diff.stdout, check=True)
    applied = (folder / "train.py").read_bytes()
    (folder / "train.py").write_bytes(data)
    assert subprocess.run([*arguments, "--fix"], check=False).returncode == 0
    assert (folder / "train.py").read_bytes() == applied
    mended = (head + MENDED + "x = 'ü'").replace("\n", end) + end * last
    assert applied == bom + mended.encode(cookie or "utf-8")


def test_a_terminal_gets_the_diff_in_colours_and_without_what_could_steer_it(
    check, bad, monkeypatch
):
    bad.write_text(BAD.replace("net.train()", "net.train()  # \x1b[2J"))
    monkeypatch.setattr("trainlint.cli.fixing.on_terminal", lambda: True)
    out = check("--diff", "--color", "always").out
    assert "\x1b[2J" not in out
    plain = re.sub(r"\x1b\[[\d;]*m", "", out)
    assert plain == DIFF.replace("net.train()", "net.train()  # ␛[2J")
    assert "\x1b[32m+from torch.amp import autocast\x1b[0m" in out
