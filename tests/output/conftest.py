"""Fixtures that lint snippets, make diagnoses up, and write what was found in a format."""

from __future__ import annotations

from dataclasses import replace
from textwrap import dedent
from typing import TYPE_CHECKING, Any

import pytest

from trainlint.core.catalogue import Catalogue
from trainlint.core.config import Config, Selection, resolve
from trainlint.core.diagnosis import Diagnosis, Severity, Span
from trainlint.core.report import Failure, FileReport
from trainlint.output.formats import Linted, render
from trainlint.static.engine import lint_files

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return an empty folder, which is the current one."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("CI_PROJECT_DIR", raising=False)
    monkeypatch.delenv("TRAINLINT_SITE", raising=False)
    return tmp_path


@pytest.fixture
def lint(catalogue: Catalogue, folder: Path) -> Callable[..., Linted]:
    """Return a function that writes and lints files, given as paths and texts."""

    def files(rules: str, sources: dict[str, str], **keywords: Any) -> Linted:
        for path, text in sources.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_text(dedent(text), encoding="utf-8")
        chosen = Selection("test", tuple(rules.split(",")), (), ())
        settings = resolve(catalogue, Config(), chosen)
        unresolved = keywords.get("unresolved", False)
        reports = list(lint_files(list(sources), settings, unresolved=unresolved))
        return Linted(reports, catalogue, **keywords)

    return files


@pytest.fixture
def shown(lint: Callable[..., Linted]) -> Callable[..., str]:
    """Return a function that lints files and gives the output in a format."""

    def output(form: str, rules: str, sources: dict[str, str]) -> str:
        return "\n".join(render(form, lint(rules, sources)))

    return output


@pytest.fixture(scope="session")
def twice() -> str:
    """Return a snippet that breaks TL301 in line 6; line 5 is related, and the fix is there."""
    return TWICE


@pytest.fixture(scope="session")
def diagnosis() -> Callable[..., Diagnosis]:
    """Return a function that makes a diagnosis up."""
    one = Diagnosis("a-rule", "TL301", Severity.ERROR, "f.py", Span(3, 5, 3, 9), "said", "Do it.")

    def made(**changes: Any) -> Diagnosis:
        return replace(one, **changes)

    return made


@pytest.fixture(scope="session")
def report() -> Callable[..., FileReport]:
    """Return a function that makes the report of a file up."""

    def made(
        *diagnoses: Diagnosis, path: str = "f.py", failures: tuple[Failure, ...] = ()
    ) -> FileReport:
        return FileReport(path, list(diagnoses), list(failures))

    return made


@pytest.fixture(scope="session")
def linted() -> Callable[..., Linted]:
    """Return a function that takes reports for what linting gave."""

    def made(*reports: FileReport, catalogue: Catalogue | None = None, **keywords: Any) -> Linted:
        return Linted(reports, catalogue or Catalogue({}), **keywords)

    return made


TWICE = """\
import torch.nn.functional as F


def loss_of(net, inputs, targets):
    outputs = F.softmax(net(inputs), dim=1)
    return F.cross_entropy(outputs, targets)
"""
