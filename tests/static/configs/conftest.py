"""Fixtures that lint the text of a configuration."""

from __future__ import annotations

from textwrap import dedent

import pytest

from trainlint.core.config import Config, Selection, resolve
from trainlint.static.engine import lint_source
from trainlint.static.source import SourceFile


@pytest.fixture(scope="session")
def everything(catalogue):
    """Return settings under which every rule is on."""
    return resolve(catalogue, Config(), Selection("the test", select=("ALL",)))


@pytest.fixture
def linted(everything):
    """Return a function that lints a text under every rule."""

    def lint(text, path="conf.yaml"):
        source = SourceFile.from_bytes(path, dedent(text).encode())
        report = lint_source(source, everything)
        assert not report.failures
        return report.diagnoses

    return lint


@pytest.fixture
def said(linted):
    """Return a function that gives `line code` of what is said of a text."""

    def say(text, path="conf.yaml"):
        return [f"{one.span.line} {one.code}" for one in linted(text, path)]

    return say
