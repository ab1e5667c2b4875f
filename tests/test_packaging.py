"""Pages are found from a wheel and from a checkout, and a package of others can bring its own."""

from __future__ import annotations

import importlib.metadata
import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import trainlint
from trainlint.core.catalogue import load_catalogue, page_path

PACKAGE = Path(trainlint.__file__).parent
CHECKOUT = PACKAGE.parent
PROJECT = CHECKOUT / "pyproject.toml"
# The tests are also run against a wheel, where nothing lies beside the package.
needs_the_checkout = pytest.mark.skipif(
    not PROJECT.is_file(), reason="trainlint is installed from a wheel"
)


def pages() -> Path:
    """Return the folder of the pages."""
    path = page_path(load_catalogue(("trainlint.rules",)).rules["missing-zero-grad"])
    assert path is not None
    return path.parents[1]


def run(top: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the package that lies in a folder."""
    code = "import sys; sys.path.insert(0, sys.argv.pop(1)); from trainlint.__main__ import main; main()"
    return subprocess.run(
        [sys.executable, "-P", "-c", code, str(top), *arguments],
        capture_output=True,
        text=True,
        check=False,
        cwd=top,
    )


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    """Return a folder with a copy of the package, without its pages."""
    shutil.copytree(
        PACKAGE, tmp_path / "trainlint", ignore=shutil.ignore_patterns("_pages", "__pycache__")
    )
    return tmp_path


def test_pages_are_found_inside_the_package_as_a_wheel_has_them(copied):
    shutil.copytree(pages(), copied / "trainlint" / "_pages")
    done = run(copied, "rule", "TL501")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == (pages() / "loop" / "missing-zero-grad.md").read_text(encoding="utf-8")


def test_pages_are_found_beside_the_package_as_a_checkout_has_them(copied):
    shutil.copytree(pages(), copied / "rules")
    (copied / "rules" / "loop" / "missing-zero-grad.md").write_text("# TL501 changed\n")
    assert run(copied, "rule", "TL501").stdout == "# TL501 changed\n"


def test_pages_inside_the_package_come_first(copied):
    for folder in (copied / "rules", copied / "trainlint" / "_pages"):
        (folder / "loop").mkdir(parents=True)
        (folder / "loop" / "missing-zero-grad.md").write_text(f"# {folder.name}\n")
    assert run(copied, "rule", "TL501").stdout == "# _pages\n"


def test_without_its_page_a_rule_still_lints_and_says_that_it_has_none(copied):
    script = copied / "f.py"
    script.write_text(
        "import torch.nn.functional as F\n"
        "def f(net, x, y):\n"
        "    return F.cross_entropy(F.softmax(net(x), dim=1), y)\n"
    )
    done = run(copied, "check", "f.py", "--select", "TL301", "--output-format", "json")
    assert (done.returncode, done.stderr) == (1, "")
    assert '"summary": null' in done.stdout
    done = run(copied, "rule", "TL301")
    message = "error: the rule softmax-before-cross-entropy has no page\n"
    assert (done.returncode, done.stdout, done.stderr) == (2, "", message)


def test_the_package_is_typed_and_has_a_version():
    assert (PACKAGE / "py.typed").is_file()
    try:
        installed = importlib.metadata.version("trainlint")
    except importlib.metadata.PackageNotFoundError:
        pytest.skip("trainlint is run from a bare checkout")
    assert installed == trainlint.__version__


def test_the_command_is_installed():
    command = shutil.which("trainlint", path=os.path.dirname(sys.executable))
    if command is None:
        pytest.skip("trainlint is run from a bare checkout")
    done = subprocess.run([command, "--version"], capture_output=True, text=True, check=False)
    assert done.stdout == f"trainlint {trainlint.__version__}\n"


@needs_the_checkout
def test_nothing_but_click_and_rich_is_needed():
    project = tomllib.loads(PROJECT.read_text(encoding="utf-8"))["project"]
    assert [one.partition(">")[0] for one in project["dependencies"]] == ["click", "rich"]


@needs_the_checkout
def test_a_wheel_is_told_to_take_the_pages_along():
    project = tomllib.loads(PROJECT.read_text(encoding="utf-8"))
    wheel = project["tool"]["hatch"]["build"]["targets"]["wheel"]
    assert wheel["only-include"] == ["trainlint", "rules"]
    assert wheel["sources"] == {"rules": "trainlint/_pages"}
    assert not list((CHECKOUT / "rules").rglob("*.py"))


@needs_the_checkout
def test_a_checkout_has_no_stale_copy_of_the_pages():
    assert not (PACKAGE / "_pages").exists()
