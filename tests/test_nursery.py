"""A program that a nursery starts sees and leaves what it would with a Python of its own."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="there are no forks")

PROGRAM = """
import atexit, os, pickle, sys, __main__

class Own:
    pass

def late():
    assert type(pickle.loads(pickle.dumps(Own()))) is Own
    print("late")

atexit.register(late)
print(sys.argv, sys.path, os.getcwd(), __name__, __file__, __package__, __main__.Own is Own)
print(__spec__ and __spec__.name, sorted(os.environ.items()), sys.stdin.read())
print("wärn", file=sys.stderr)
sys.stdout.flush()
"""
ENDINGS = {
    "end": "",
    "status": "sys.exit(7)",
    "error": "def f():\n    1 / 0\nf()",
    "signal": "os.kill(os.getpid(), 15)",
    "at once": "os._exit(3)",
}


@pytest.fixture
def both(nursery, tmp_path):
    """Return a function that gives what a program leaves with a fresh Python, and in a nursery."""

    def run(*arguments):
        env = {key: value for key, value in os.environ.items() if "PYTEST" not in key}
        fresh = subprocess.run(
            [sys.executable, *arguments],
            cwd=tmp_path,
            env=env,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        return fresh, nursery("trainlint.cli.main").run(arguments, cwd=tmp_path)

    return run


@pytest.mark.parametrize("ending", ENDINGS.values(), ids=ENDINGS)
@pytest.mark.parametrize("how", [["train.py"], ["-m", "train"], ["-m", "package"]], ids=" ".join)
def test_a_program_sees_and_leaves_the_same(how, ending, both, tmp_path):
    (tmp_path / "package").mkdir()
    for path in ("train.py", "package/__main__.py"):
        (tmp_path / path).write_text(PROGRAM + ending)
    fresh, forked = both(*how, "--lr", "-m")
    assert "wärn" in fresh.stderr
    assert forked.returncode == fresh.returncode
    assert forked.stdout == fresh.stdout
    # What started it, of which a traceback tells first, is another.
    own = f'  File "{tmp_path}'
    assert forked.stderr.partition("Traceback")[0] == fresh.stderr.partition("Traceback")[0]
    assert forked.stderr.partition(own)[2] == fresh.stderr.partition(own)[2]


def test_a_program_that_takes_too_long_is_ended(nursery, tmp_path):
    (tmp_path / "train.py").write_text("import time\nprint('begun', flush=True)\ntime.sleep(60)\n")
    with pytest.raises(subprocess.TimeoutExpired):
        nursery("trainlint.cli.main").run(["train.py"], cwd=tmp_path, timeout=0.3)
    (tmp_path / "train.py").write_text("print('the nursery lives')\n")
    done = nursery("trainlint.cli.main").run(["train.py"], cwd=tmp_path)
    assert done.stdout == "the nursery lives\n"
