"""A rule is two files: one is added in a package of its own, and everything finds it."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from textwrap import dedent

import pytest

GUIDE = (Path(__file__).parent.parent / "CONTRIBUTING.md").read_text(encoding="utf-8")


def shown(fence: str, language: str) -> str:
    """Return the first block of the guide between such fences, as a package of its own has it."""
    block = re.search(rf"^{fence}{language}\n(.*?)^{fence}$", GUIDE, re.MULTILINE | re.DOTALL)
    assert block is not None
    return block[1].replace("TL299", "ACME299")


RULE = shown("```", "python")
PAGE = shown("````", "markdown")

OTHER_RULE = '''
    """A rule about files that never speak of training."""

    from trainlint.core.diagnosis import Severity
    from trainlint.core.rule import Rule

    rule = Rule(__name__, "ACME701", Severity.WARNING)


    @rule.check
    def check(file):
        """Find the calls that clear the screen."""
        for call in file.calls_to("curses.initscr"):
            yield rule.at(call, "`initscr` clears the screen.", remedy="Leave it.")
'''

SCRIPT = """
    from torch import nn
    first = nn.Dropout(1.0)
    second = nn.Dropout(p=1)
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with an installed package of one rule, and a script that breaks it."""
    top = tmp_path_factory.mktemp("site")
    package = top / "acme_rules"
    (package / "activation").mkdir(parents=True)
    (package / "__init__.py").write_text('"""Rules of Acme."""\n')
    # The two files that make a rule.
    (package / "activation" / "dropout_of_everything.py").write_text(RULE)
    (package / "activation" / "dropout-of-everything.md").write_text(PAGE)
    (package / "data").mkdir()
    (package / "data" / "cleared_screen.py").write_text(dedent(OTHER_RULE).lstrip())
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
    listing = trainlint(folder, "rules", "--family", "activation").stdout
    row = next(line.split() for line in listing.splitlines() if "dropout-of-everything" in line)
    assert row == ["ACME299", "dropout-of-everything", "error", "activation", "unsafe", "on"]


def test_the_rule_is_executed(folder: Path) -> None:
    done = trainlint(folder, "check", "script.py", "--output-format", "concise", "--quiet")
    assert done.stderr == ""
    assert done.returncode == 1
    says = "zeroes every input, so nothing behind it can learn."
    assert done.stdout.splitlines() == [
        f"script.py:2:9: error ACME299 dropout-of-everything: `nn.Dropout(1.0)` {says}",
        f"script.py:3:10: error ACME299 dropout-of-everything: `nn.Dropout(p=1)` {says}",
    ]


def test_a_rule_of_others_is_executed_in_a_file_that_never_speaks_of_training(
    folder: Path, tmp_path: Path
) -> None:
    script = tmp_path / "screen.py"
    script.write_text("import curses\ncurses.initscr()\n")
    done = trainlint(folder, "check", str(script), "--output-format", "concise", "--quiet")
    assert (
        done.stdout
        == f"{script}:2:1: warning ACME701 cleared-screen: `initscr` clears the screen.\n"
    )


def test_the_page_of_the_rule_holds_for_the_rule(folder: Path, tmp_path: Path) -> None:
    for section, wanted in (("Bad", ["ACME299"]), ("Good", [])):
        block = PAGE.partition(f"## {section}\n\n```python\n")[2].partition("```")[0]
        script = tmp_path / f"{section}.py"
        script.write_text(block)
        done = trainlint(folder, "check", str(script), "--select", "ALL", "--output-format", "json")
        codes = [one["code"] for one in json.loads(done.stdout)["diagnoses"]]
        # A rule of ours speaks of the example, too: its rate is over a half.
        assert [code for code in codes if code.startswith("ACME")] == wanted


def test_the_rule_is_selected_by_its_code_its_prefix_and_its_name(folder: Path) -> None:
    for selector in ("ACME299", "ACME", "ACME2", "dropout-of-everything", "acme299"):
        done = trainlint(folder, "check", "script.py", "--select", selector)
        assert (done.returncode, done.stderr) == (1, ""), selector
    assert trainlint(folder, "check", "script.py", "--ignore", "ACME").returncode == 0


def test_the_page_of_the_rule_is_printed(folder: Path) -> None:
    assert trainlint(folder, "rule", "dropout-of-everything").stdout == PAGE


def test_the_page_reaches_the_json_output(folder: Path) -> None:
    done = trainlint(folder, "check", "script.py", "--output-format", "json")
    first = json.loads(done.stdout)["diagnoses"][0]
    assert first["page"] == {
        "summary": "A dropout has the rate 1 and puts out nothing but zeros.",
        "sources": [
            {
                "title": "Dropout",
                "url": "https://docs.pytorch.org/docs/stable/generated/torch.nn.Dropout.html",
            }
        ],
    }


def test_a_threshold_of_the_rule_is_configured_by_its_name(folder: Path, tmp_path: Path) -> None:
    config = tmp_path / "trainlint.toml"
    config.write_text("[rules.dropout-of-everything]\nlimit = 2\n")
    done = trainlint(folder, "check", "script.py", "--config", str(config), "--statistics", "-q")
    assert (done.returncode, done.stdout) == (0, "")


def test_a_comment_silences_the_rule_by_its_code(folder: Path, tmp_path: Path) -> None:
    script = tmp_path / "silent.py"
    script.write_text("from torch import nn\nnn.Dropout(1.0)  # noqa: ACME299\n")
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
