"""A rule is two files: one is added in a package of its own, and everything finds it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from textwrap import dedent
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

RULE = '''
    """A loss is called cursed."""

    from __future__ import annotations

    from collections.abc import Iterator
    from typing import TYPE_CHECKING

    from trainlint.core.diagnosis import Diagnosis, Severity
    from trainlint.core.rule import Rule

    if TYPE_CHECKING:
        from trainlint.static.model import FileModel

    rule = Rule(__name__, "ACME301", Severity.WARNING)


    @rule.check
    def check(file: FileModel, *, allowed: int = 0) -> Iterator[Diagnosis]:
        """Yield a diagnosis for every call of the cursed loss beyond the allowed number."""
        for call in list(file.calls_to("curses.cursed_loss"))[allowed:]:
            yield rule.at(
                call,
                "`cursed_loss` is cursed",
                remedy="Take another one.",
                label="cursed",
            )
'''

PAGE = """
    # ACME301 cursed-loss

    A cursed loss never falls. Take another one.

    ## Bad

    ```python
    from curses import cursed_loss
    loss = cursed_loss(1, 2)  # ACME301
    ```

    ## Good

    ```python
    loss = 0
    ```

    ## Sources

    - [The book of curses](https://example.org/curses): says so
"""

SCRIPT = """
    from curses import cursed_loss
    loss = cursed_loss(1, 2)
    again = cursed_loss(3, 4)
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with an installed package of one rule, and a script that breaks it."""
    top = tmp_path_factory.mktemp("site")
    package = top / "acme_rules"
    (package / "loss").mkdir(parents=True)
    (package / "__init__.py").write_text('"""Rules of Acme."""\n')
    # The two files that make a rule.
    (package / "loss" / "cursed_loss.py").write_text(dedent(RULE).lstrip())
    (package / "loss" / "cursed-loss.md").write_text(dedent(PAGE).lstrip())
    information = top / "acme_rules-1.0.dist-info"
    information.mkdir()
    (information / "METADATA").write_text("Metadata-Version: 2.1\nName: acme-rules\nVersion: 1.0\n")
    (information / "entry_points.txt").write_text("[trainlint.rules]\nacme = acme_rules\n")
    (top / "script.py").write_text(dedent(SCRIPT).lstrip())
    return top


def trainlint(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the command where the package is installed."""
    path = os.pathsep.join([str(folder), *filter(None, [os.environ.get("PYTHONPATH")])])
    return subprocess.run(
        [sys.executable, "-m", "trainlint", *arguments],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_rule_is_listed_with_its_family_and_it_is_on(folder: Path) -> None:
    listing = trainlint(folder, "rules", "--family", "loss").stdout
    row = next(line.split() for line in listing.splitlines() if "cursed-loss" in line)
    assert row == ["ACME301", "cursed-loss", "warning", "loss", "-", "on"]


def test_the_rule_is_executed_even_in_a_file_that_never_speaks_of_training(folder: Path) -> None:
    done = trainlint(folder, "check", "script.py", "--output-format", "concise", "--quiet")
    assert done.stderr == ""
    assert done.returncode == 1
    assert done.stdout.splitlines() == [
        "script.py:2:8: warning ACME301 cursed-loss: `cursed_loss` is cursed",
        "script.py:3:9: warning ACME301 cursed-loss: `cursed_loss` is cursed",
    ]


def test_the_rule_is_selected_by_its_code_its_prefix_and_its_name(folder: Path) -> None:
    for selector in ("ACME301", "ACME", "ACME3", "cursed-loss", "acme301"):
        done = trainlint(folder, "check", "script.py", "--select", selector)
        assert (done.returncode, done.stderr) == (1, ""), selector
    assert trainlint(folder, "check", "script.py", "--ignore", "ACME").returncode == 0


def test_the_page_of_the_rule_is_printed(folder: Path) -> None:
    assert trainlint(folder, "rule", "cursed-loss").stdout == dedent(PAGE).lstrip()


def test_the_page_reaches_the_json_output(folder: Path) -> None:
    done = trainlint(folder, "check", "script.py", "--output-format", "json")
    first = json.loads(done.stdout)["diagnoses"][0]
    assert first["page"] == {
        "summary": "A cursed loss never falls.",
        "sources": [{"title": "The book of curses", "url": "https://example.org/curses"}],
    }


def test_a_threshold_of_the_rule_is_configured_by_its_name(folder: Path, tmp_path: Path) -> None:
    config = tmp_path / "trainlint.toml"
    config.write_text("[rules.cursed-loss]\nallowed = 1\n")
    done = trainlint(folder, "check", "script.py", "--config", str(config), "--statistics", "-q")
    assert done.stdout == "1  ACME301  warning  cursed-loss\n"


def test_a_comment_silences_the_rule_by_its_code(folder: Path, tmp_path: Path) -> None:
    script = tmp_path / "silent.py"
    script.write_text("from curses import cursed_loss\ncursed_loss(1, 2)  # noqa: ACME301\n")
    assert trainlint(folder, "check", str(script)).returncode == 0


def test_a_package_that_cannot_be_imported_is_one_line(folder: Path, tmp_path: Path) -> None:
    information = tmp_path / "other-1.0.dist-info"
    information.mkdir()
    (information / "METADATA").write_text("Metadata-Version: 2.1\nName: other\nVersion: 1.0\n")
    (information / "entry_points.txt").write_text("[trainlint.rules]\nother = no_such_package\n")
    done = trainlint(tmp_path, "check", str(folder / "script.py"))
    assert done.returncode == 2
    assert done.stderr.startswith("error: the package of rules no_such_package cannot be imported")
    assert done.stderr.count("\n") == 1
