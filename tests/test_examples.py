"""The examples say in their docstrings what one sees; this is it."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from trainlint.core.config import Config, Selection, resolve
from trainlint.static.engine import lint_file

FOLDER = Path(__file__).parent.parent / "examples"
NAMES = sorted(path.name for path in FOLDER.glob("*.py"))


def text_of(name: str) -> str:
    """Return the text of an example."""
    return (FOLDER / name).read_text(encoding="utf-8")


def named(name: str, *, watching: bool) -> list[str]:
    """Return the rules that paragraphs about the monitor, or the other ones, name, as code and name."""
    paragraphs = text_of(name).split('"""')[1].split("\n\n")
    own = [one for one in paragraphs if one.startswith("The monitor says") == watching]
    return sorted(set(re.findall(r"TL\d{3} [a-z0-9-]+", "\n".join(own))))


def promised(name: str) -> list[str]:
    """Return the rules of which the docstring of an example promises that the linter names them."""
    return named(name, watching=False)


@pytest.mark.parametrize("name", NAMES)
def test_an_example_gives_the_diagnoses_that_it_promises(catalogue, name):
    report = lint_file(str(FOLDER / name), resolve(catalogue, Config()))
    assert report.failures == []
    assert sorted(f"{one.code} {one.rule}" for one in report.diagnoses) == promised(name)


@pytest.mark.slow
@pytest.mark.parametrize("name", [one for one in NAMES if "trainlint.watch(" in text_of(one)])
def test_a_watched_example_ends_in_the_diagnosis_that_it_promises_first(name, tmp_path, torched):
    pytest.importorskip("sklearn")
    env = {"TRAINLINT_RECORDING": "0", "COLUMNS": "100"}
    done = torched.run([FOLDER / name], cwd=tmp_path, env=env, timeout=120)
    assert done.returncode == 0, done.stderr
    said = re.findall(
        r"^(?:error|warning) (TL\d{3} [a-z0-9-]+)", done.stdout + done.stderr, re.MULTILINE
    )
    assert said[:1] == named(name, watching=True)
    assert "Traceback" not in done.stderr
    assert re.search(r"looks healthy|suffers|cannot work", done.stdout + done.stderr)


def test_the_broken_script_has_eight_different_mistakes():
    assert len(promised("broken_digits.py")) == 8


def test_the_mended_twin_is_clean_under_every_rule(catalogue):
    settings = resolve(catalogue, Config(), Selection("the test", select=("ALL",)))
    assert lint_file(str(FOLDER / "mended_digits.py"), settings).diagnoses == []


@pytest.mark.parametrize("name", NAMES)
def test_an_example_says_how_to_lint_it(name):
    text = (FOLDER / name).read_text(encoding="utf-8")
    assert f"    trainlint check examples/{name}\n" in text.split('"""')[1]


def test_the_readme_shows_what_the_broken_script_gives():
    readme = (FOLDER.parent / "README.md").read_text(encoding="utf-8")
    shown = readme.partition("```console\n")[2].partition("```")[0]
    command, *parts = re.split(r"\n\n|(?<=broken_digits.py)\n", shown.strip())
    done = subprocess.run(
        [sys.executable, "-m", "trainlint", *command.split()[2:], "--isolated", "--color", "never"],
        cwd=FOLDER.parent,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    parts.remove("…six more…")
    for part in parts:
        assert part in done.stdout
