"""What `trainlint rule` prints."""

from __future__ import annotations

import json
import os
import pty
import re
import subprocess
import sys

import pytest

from trainlint.core.catalogue import load_catalogue, page_path


def page_text(name):
    """Return the page of a rule as it lies on the disk."""
    path = page_path(load_catalogue(("trainlint.rules",)).rules[name])
    assert path is not None
    return path.read_text(encoding="utf-8")


@pytest.mark.parametrize("name", ["softmax-before-cross-entropy", "TL301", "tl301"])
def test_the_page_is_markdown_where_nobody_reads_it_on_a_terminal(trainlint, name):
    assert trainlint("rule", name) == (0, page_text("softmax-before-cross-entropy"), "")


def test_the_page_is_rendered_in_colours_where_they_are_asked_for(trainlint):
    done = trainlint("rule", "TL301", "--color", "always")
    assert done.code == 0
    assert "\x1b[" in done.out
    plain = re.sub(r"\x1b\[[\d;]*m", "", done.out)
    assert "TL301 softmax-before-cross-entropy" in plain
    assert "```" not in plain


@pytest.mark.parametrize("command", [["rule", "TL301"], ["rules", "--family", "loss"]])
@pytest.mark.parametrize("color", ["auto", "never"])
def test_a_terminal_gets_it_rendered(folder, command, color):
    leader, follower = pty.openpty()
    environment = {**os.environ, "TERM": "xterm", "COLUMNS": "100"}
    with subprocess.Popen(
        [sys.executable, "-m", "trainlint", *command, "--color", color],
        cwd=folder,
        stdin=subprocess.DEVNULL,
        stdout=follower,
        stderr=subprocess.PIPE,
        env=environment,
    ) as process:
        os.close(follower)
        text = b""
        while True:
            try:
                text += os.read(leader, 65536)
            except OSError:  # the other end is closed
                break
        assert process.stderr is not None
        assert process.stderr.read() == b""
    os.close(leader)
    assert process.returncode == 0
    assert b"softmax-before-cross-entropy" in text
    assert b"```" not in text
    # Bold is a colour to us; `never` means none of it.
    assert (re.search(rb"\x1b\[[\d;]*3\d", text) is not None) is (color == "auto")


def test_the_page_is_given_as_json(trainlint):
    rule = json.loads(trainlint("rule", "missing-zero-grad", "--output-format", "json").out)["rule"]
    assert rule["text"] == page_text("missing-zero-grad")
    assert rule["code"] == "TL501"
    assert (rule["family"], rule["severity"], rule["fixable"]) == ("loop", "error", "unsafe")
    assert rule["summary"].endswith(".")
    assert all(re.match("https?://", source["url"]) for source in rule["sources"])
    assert rule["thresholds"] == {}


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("missing-zerograd", "; did you mean `missing-zero-grad`?"),
        ("Missing-Zero-Grad", "; did you mean `missing-zero-grad`?"),
        ("T001", "; did you mean `TL001`?"),
        ("nonsense-zzzz", ""),
    ],
)
def test_an_unknown_name_is_one_line_with_the_nearest_name(trainlint, name, hint):
    assert trainlint("rule", name) == (2, "", f"error: no rule is called `{name}`{hint}\n")


def test_the_name_must_be_given(trainlint):
    done = trainlint("rule")
    assert (done.code, done.out, done.err.count("\n")) == (2, "", 1)
