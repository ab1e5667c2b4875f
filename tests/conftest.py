"""Fixtures that lint a snippet."""

from __future__ import annotations

from textwrap import dedent
from typing import TYPE_CHECKING

import pytest

from trainlint.core.catalogue import Catalogue, load_catalogue
from trainlint.static.model import FileModel
from trainlint.static.source import SourceFile

if TYPE_CHECKING:
    from collections.abc import Callable

    from trainlint.core.diagnosis import Diagnosis


@pytest.fixture(scope="session")
def catalogue() -> Catalogue:
    """Return the catalogue of our own rules."""
    return load_catalogue(("trainlint.rules",))


@pytest.fixture(scope="session")
def diagnoses(catalogue: Catalogue) -> Callable[..., list[Diagnosis]]:
    """Return a function that gives the diagnoses of one rule for a snippet, in order."""

    def diagnose(
        rule: str, source: str, *, path: str = "snippet.py", **thresholds: object
    ) -> list[Diagnosis]:
        found = catalogue.find(rule)
        assert found is not None, f"no rule is called {rule}"
        model = FileModel(SourceFile(path, dedent(source)))
        settings = {**found.thresholds, **thresholds}
        return sorted(set(found.diagnose(model, settings)), key=lambda one: one.position)

    return diagnose


@pytest.fixture(scope="session")
def lines(diagnoses: Callable[..., list[Diagnosis]]) -> Callable[..., list[int]]:
    """Return a function that gives the lines on which one rule speaks."""

    def lines_of(rule: str, source: str, **thresholds: object) -> list[int]:
        return [one.span.line for one in diagnoses(rule, source, **thresholds)]

    return lines_of
