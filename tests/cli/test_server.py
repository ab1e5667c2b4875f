"""`trainlint server` as a command: what stops it before it serves is one line, and exit code 2."""

from __future__ import annotations

import subprocess
import sys

import pytest


def started(*arguments, prepare=""):
    """Run the command with nothing to read, after some code."""
    code = f"import sys\n{prepare}\nfrom trainlint.__main__ import main\nsys.argv[1:] = {list(arguments)!r}\nmain()"
    return subprocess.run(
        [sys.executable, "-c", code],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.usefixtures("folder")
def test_without_pygls_one_line_says_what_to_install():
    line = (
        "error: the language server needs pygls 2; to install it: pip install 'trainlint[server]'\n"
    )
    for prepare in (
        "sys.modules['pygls'] = None",
        # The first version of pygls has no such module.
        "sys.modules['pygls.lsp.server'] = None",
        "sys.modules['lsprotocol'] = None",
    ):
        done = started("server", prepare=prepare)
        assert (done.returncode, done.stdout, done.stderr) == (2, "", line)


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ["--select", "TL3O1"],
            "command line: select: no rule or group of rules is called `TL3O1`",
        ),
        (["--config", "gone.toml"], "gone.toml: cannot be read: No such file or directory"),
        (
            ["--config", "selec = []"],
            "--config: no setting is called `selec`; did you mean `select`?",
        ),
        (["--target-torch", "new"], "--target-torch: expects a version as a text"),
        (["--debounce", "soon"], "'soon' is not a valid integer range"),
        (["file.py"], "Got unexpected extra argument (file.py)"),
    ],
)
def test_what_is_wrong_on_the_command_line_is_said_at_once(arguments, message):
    pytest.importorskip("pygls", reason="the extra `server` is not installed")
    done = started("server", *arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert message in done.stderr
    assert done.stderr.count("\n") == 1


@pytest.mark.usefixtures("folder")
def test_a_broken_configuration_of_the_folder_does_not_keep_it_from_serving(folder):
    pytest.importorskip("pygls", reason="the extra `server` is not installed")
    (folder / "trainlint.toml").write_text("broken")
    done = started("server")
    # There is nobody to speak with, so it ends without having been told to.
    assert (done.returncode, done.stdout, done.stderr) == (1, "", "")


@pytest.mark.usefixtures("folder")
def test_a_closed_standard_input_is_one_line():
    pytest.importorskip("pygls", reason="the extra `server` is not installed")
    done = started("server", prepare="sys.stdin = None")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "error: standard input is closed\n"


@pytest.mark.usefixtures("folder")
def test_the_help_needs_no_pygls():
    done = started("server", "--help", prepare="sys.modules['pygls'] = None")
    assert (done.returncode, done.stderr) == (0, "")
    assert "trainlint[server]" in done.stdout
