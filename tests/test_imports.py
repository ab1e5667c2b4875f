"""Imports point one way, and starting costs nothing that is not used."""

from __future__ import annotations

import ast
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

import trainlint
from trainlint.core.catalogue import OUR_RULES
from trainlint.output.formats import FORMATS

PACKAGE = Path(trainlint.__file__).parent
MODULES = sorted(PACKAGE.rglob("*.py"))
HEAVY = ("torch", "numpy")


def loaded_by(code: str) -> set[str]:
    """Return the modules that a fresh Python has loaded after it has executed some code."""
    done = subprocess.run(
        [sys.executable, "-c", f"import sys\n{code}\nprint(*sys.modules, file=sys.stderr)"],
        capture_output=True,
        text=True,
        check=True,
    )
    return set(done.stderr.split())


RUN = "from trainlint.cli.main import run\nassert run({arguments}) == {code}"


def started_by(*arguments: str, code: int = 0) -> set[str]:
    """Return the modules that the command has loaded."""
    return loaded_by(RUN.format(arguments=list(arguments), code=code))


@pytest.mark.parametrize(
    "module",
    ["trainlint", "trainlint.core", "trainlint.static", "trainlint.rules", "trainlint.cli"],
)
def test_importing_a_half_of_the_house_imports_no_torch(module):
    assert not loaded_by(f"import {module}") & set(HEAVY)


def needs_what_is_not_there(path: Path) -> bool:
    """Say whether a module is one of the language server or of a framework that is not installed."""
    half = path.relative_to(PACKAGE).parts[0]
    if path.name == "live_view.py":
        return find_spec("textual") is None
    return half == "integrations" or (half == "server" and find_spec("pygls") is None)


def test_importing_every_module_imports_no_torch():
    names = [
        ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts).removesuffix(".__init__")
        for path in MODULES
        if "runtime" not in path.relative_to(PACKAGE).parts and not needs_what_is_not_there(path)
    ]
    assert len(names) > 50
    code = "import importlib\n" + "\n".join(f"importlib.import_module({name!r})" for name in names)
    assert not loaded_by(code) & set(HEAVY)


def test_the_version_needs_neither_rich_nor_json_nor_processes_nor_rules():
    loaded = started_by("--version")
    assert "click" in loaded
    unwanted = {"rich", "json", "multiprocessing", "tomllib", "trainlint.core.catalogue"}
    assert not loaded & unwanted


def test_linting_a_file_needs_neither_rich_nor_json_nor_processes(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # where no earlier run has left a cache, which is read with json
    (tmp_path / "a.py").write_text("import torch\n")
    loaded = started_by("check", str(tmp_path / "a.py"), "--isolated")
    assert "trainlint.static.engine" in loaded
    unwanted = {"rich", "json", "multiprocessing", "tomllib", "importlib.metadata"}
    assert not loaded & unwanted


def test_linting_imports_the_rules_that_read_code_and_only_where_they_run(tmp_path, catalogue):
    arguments = ["check", str(tmp_path / "a.py"), "--isolated", "--no-cache", "--select", "ALL"]
    (tmp_path / "a.py").write_text("import torch\n")
    loaded = started_by(*arguments)
    names = {f"{one.family}.{one.name.replace('-', '_')}": one.has_check for one in catalogue}
    found = {one for one in names if f"{OUR_RULES}.{one}" in loaded}
    assert found == {one for one, has_check in names.items() if has_check}
    assert not any(one.startswith("trainlint.runtime") for one in loaded)
    (tmp_path / "a.py").write_text("import os\n")
    loaded = started_by(*arguments)
    assert not any(one.startswith((f"{OUR_RULES}.", "trainlint.static.model")) for one in loaded)


def test_a_run_in_which_nothing_has_changed_imports_no_rule(tmp_path):
    for number in range(5):
        (tmp_path / f"{number}.py").write_text("import torch\n")
    code = f"import os\nos.chdir({str(tmp_path)!r})\n{RUN}"
    arguments = ["check", "--isolated", "-q"]
    rules = [
        {one for one in loaded_by(code.format(arguments=arguments, code=0)) if ".rules." in one}
        for _ in range(2)
    ]
    assert rules[0]
    assert not rules[1]


def formats_loaded_by(*arguments: str, code: int = 0) -> set[str]:
    """Return the names of the formats whose modules the command has loaded."""
    loaded = started_by(*arguments, code=code)
    return {form.name for form in FORMATS.values() if f"trainlint.output.{form.module}" in loaded}


def test_help_and_options_know_the_formats_without_importing_any(tmp_path):
    assert formats_loaded_by("check", "--help") == set()
    (tmp_path / "a.py").write_text("import torch\n")
    for form in ("github", "pylint", "azure", "concise"):
        arguments = ["check", str(tmp_path / "a.py"), "--isolated", "--output-format", form]
        assert formats_loaded_by(*arguments) == {form}


@pytest.mark.parametrize("arguments", [["rules"], ["rule", "TL301"]])
def test_a_list_or_a_page_in_a_pipe_needs_no_rich(arguments):
    loaded = started_by(*arguments)
    assert not loaded & {"rich", "json", "multiprocessing", "trainlint.static.engine"}


def imports_of(path: Path) -> set[str]:
    """Return the modules of ours that a module imports outside of TYPE_CHECKING."""
    found = set()
    pending: list[ast.AST] = [ast.parse(path.read_text(encoding="utf-8"))]
    while pending:
        node = pending.pop()
        match node:
            case ast.If(test=ast.Name(id="TYPE_CHECKING")):
                pending += node.orelse
                continue
            case ast.Import():
                found |= {alias.name for alias in node.names}
            case ast.ImportFrom(level=0, module=str(module)):
                found |= {f"{module}.{alias.name}" for alias in node.names}
            case ast.ImportFrom():
                msg = f"{path} imports something by its relative name"
                raise AssertionError(msg)
        pending += ast.iter_child_nodes(node)
    return found


ALLOWED = {
    "core": ("trainlint.core",),
    "static": ("trainlint.core", "trainlint.static"),
    "rules": (
        "trainlint.core",
        "trainlint.static.model",
        # What knows no torch: numbers, and what several detectors ask of them.
        "trainlint.runtime.judging.curves",
        "trainlint.runtime.judging.levels",
        "trainlint.runtime.judging.relative",
        "trainlint.runtime.judging.remedies",
        "trainlint.runtime.signals",
        "trainlint.runtime.judging.streaks",
        "trainlint.runtime.judging.updates",
    ),
    "output": (
        "trainlint.core",
        "trainlint.output",
        "trainlint.runtime.signals",
        "trainlint.__version__",
    ),
    "server": (
        "trainlint.core",
        "trainlint.static",
        "trainlint.server",
        "trainlint.__version__",
    ),
    "cli": ("trainlint",),
    "runtime": ("trainlint.core", "trainlint.runtime", "trainlint.rules", "trainlint.output"),
    "integrations": ("trainlint.runtime", "trainlint.integrations"),
}
THIRD_PARTIES = {
    "core": set(),
    "static": {"yaml"},
    "rules": set(),
    # All but rich come with an extra, or are there in a notebook.
    "output": {"rich", "jinja2", "markdown_it", "markupsafe", "plotly", "IPython"},
    "server": {"pygls", "lsprotocol"},
    "cli": {"click", "rich", "textual"},  # the last with an extra
}


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_point_one_way(path):
    half = path.relative_to(PACKAGE).parts[0]
    imported = imports_of(path)
    if half in ALLOWED:
        ours = {name for name in imported if name.split(".")[0] == "trainlint"}
        wrong = {
            name
            for name in ours
            if not any(f"{name}.".startswith(f"{one}.") for one in ALLOWED[half])
        }
        assert not wrong
    if half in THIRD_PARTIES:
        roots = {name.split(".")[0] for name in imported} - {"trainlint"}
        assert roots - set(sys.stdlib_module_names) <= THIRD_PARTIES[half]


@pytest.mark.parametrize(
    "path",
    [path for path in MODULES if path.relative_to(PACKAGE).parts[0] == "rules"],
    ids=lambda path: str(path.relative_to(PACKAGE)),
)
def test_a_rule_asks_the_model_and_looks_at_no_syntax_tree(path):
    assert not {name.split(".")[0] for name in imports_of(path)} & {"ast", "tokenize", "inspect"}
