"""The command as a process: closed pipes, signals, missing streams, and code that is never run."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest

import trainlint

TRAINLINT = (sys.executable, "-m", "trainlint")


def shell(text, **keywords):
    """Run a shell line in which `$T` is the command."""
    environment = {**os.environ, "T": " ".join(TRAINLINT)}
    # Without a buffer Python does not notice that only a part of a text was written to a pipe.
    environment.pop("PYTHONUNBUFFERED", None)
    return subprocess.run(
        ["bash", "-c", text],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        **keywords,
    )


@pytest.mark.parametrize("arguments", ["check .", "check . --output-format json"])
def test_a_closed_pipe_is_quiet(script, folder, arguments):
    # Their diagnoses are more than a pipe holds.
    for number in range(100):
        (folder / f"train{number}.py").write_text(script.read_text())
    done = shell(f'$T {arguments} | head -n 1; echo "${{PIPESTATUS[0]}}"')
    assert done.stderr == ""
    first, status = done.stdout.splitlines()
    assert first
    assert status == "141"


def test_a_pipe_that_is_closed_from_the_start_is_quiet(script):
    done = shell("$T rule TL301 | true; $T rules | true; $T --version | true; $T check | true")
    assert done.stderr == ""
    assert script.exists()


@pytest.mark.skipif(os.name != "posix", reason="there the current folder cannot be deleted")
def test_a_current_folder_that_has_been_deleted_is_one_line(tmp_path):
    ours = os.path.dirname(os.path.dirname(os.path.abspath(trainlint.__file__)))
    done = shell(
        f"mkdir gone; cd gone; rmdir ../gone; PYTHONPATH={ours} {sys.executable} -P -m trainlint check x",
        cwd=tmp_path,
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "error: the current folder has been deleted\n"


@pytest.fixture
def interruptible():
    """Let children be interrupted even where a job in the background, such as this one, is not."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("folder", "interruptible")
def test_ctrl_c_is_quiet():
    with subprocess.Popen(
        [*TRAINLINT, "check", "-"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stdin is not None
        # More than a pipe holds is written only once it reads: before, the signal would meet Python.
        process.stdin.write(b"#" * 1_000_000)
        process.stdin.flush()
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=10)
    assert process.returncode == 130
    assert out == b""
    assert err.strip() == b""


@pytest.mark.usefixtures("script")
def test_closed_streams_are_no_traceback():
    done = shell("$T check - <&-")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "error: standard input is closed\n"
    done = shell("$T check --output-format json >&-")
    assert (done.returncode, done.stderr) == (1, "")
    done = shell("$T check gone.py 2>&-")
    assert (done.returncode, done.stderr) == (2, "")


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="only Linux has /dev/full")
@pytest.mark.usefixtures("script")
def test_a_full_disk_is_one_line():
    for command in ("check", "rule TL301", "rules"):
        done = shell(f"$T {command} > /dev/full")
        assert done.returncode == 2
        assert done.stderr == (
            "error: standard output cannot be written: No space left on device\n"
        ), command


@pytest.mark.usefixtures("folder")
def test_without_a_command_the_help_is_shown():
    done = shell("$T")
    assert (done.returncode, done.stdout) == (2, "")
    for word in ("check", "rule", "rules", "--version"):
        assert word in done.stderr
    done = shell("$T --help")
    assert (done.returncode, done.stderr) == (0, "")
    assert "Lint files and folders." in done.stdout


@pytest.mark.usefixtures("folder")
def test_an_unknown_command_is_one_line_with_the_nearest_name():
    done = shell("$T chekc")
    message = "error: no command is called `chekc`; did you mean `check`?\n"
    assert (done.returncode, done.stdout, done.stderr) == (2, "", message)


@pytest.mark.usefixtures("folder")
def test_the_version_is_told():
    done = shell("$T --version")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("trainlint ")


def test_the_code_of_the_user_is_never_run_or_imported(folder):
    victim = folder / "victim.txt"
    victim.write_text("precious")
    crime = "import os\nos.remove('victim.txt')\nopen('traces.txt', 'w').close()\n"
    (folder / "crime.py").write_text(f"import torch\n{crime}")
    # Names under which we import something ourselves.
    for name in ("torch", "click", "rich", "json", "tomllib", "tokenize", "difflib"):
        (folder / f"{name}.py").write_text(crime)
    (folder / "trainlint.toml").write_text('extend-select = ["ALL"]\n')
    for arguments in (
        "check .",
        "check crime.py --output-format json",
        "rule TL301 --color always",
    ):
        done = shell(f"$T {arguments}")
        assert (done.returncode, done.stderr) == (0, ""), arguments
    assert shell("$T rule TL3O1").returncode == 2
    assert victim.read_text() == "precious"
    assert not (folder / "traces.txt").exists()


def test_no_warning_of_python_leaks(script, folder):
    script.write_text('import torch\nx = "\\d"\nassert (x is 1, "always")\n1()\n')
    for flags in ("", "-W error", "-W always"):
        done = shell(f"{sys.executable} {flags} -m trainlint check -q")
        assert (done.returncode, done.stdout, done.stderr) == (0, "", ""), flags
    assert not list(folder.glob("**/*.pyc"))


def test_several_processes_say_what_one_says(script, folder):
    for number in range(230):
        (folder / f"train{number}.py").write_text(script.read_text() + f"# {number}\n")
    (folder / "train7.py").write_text("def f(:\n")
    arguments = "check --output-format json --show-unresolved --extend-select TL001"
    one = shell(f"TRAINLINT_JOBS=1 $T {arguments}")
    several = shell(f"TRAINLINT_JOBS=3 $T {arguments}")
    assert one.returncode == several.returncode == 2
    assert one.stdout.count('"TL501"') == 230
    assert one.stdout == several.stdout
    assert one.stderr == several.stderr == "error: train7.py:1: syntax error: invalid syntax\n"


@pytest.mark.usefixtures("script")
def test_a_wrong_number_of_processes_is_one_line():
    for wish in ("0", "many", "-1"):
        done = shell(f"TRAINLINT_JOBS={wish} $T check")
        message = f"error: TRAINLINT_JOBS: expects a number of processes, not `{wish}`\n"
        assert (done.returncode, done.stdout, done.stderr) == (2, "", message)
