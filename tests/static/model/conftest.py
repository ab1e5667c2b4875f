"""Fixtures that model a snippet; `ask(...)` in a snippet marks the expression in question."""

from __future__ import annotations

from textwrap import dedent
from typing import TYPE_CHECKING

import pytest

from trainlint.static.model import Expr, FileModel
from trainlint.static.source import SourceFile

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.fixture
def model() -> Callable[[str], FileModel]:
    """Return a function that models a snippet."""

    def model_of(source: str) -> FileModel:
        return FileModel(SourceFile("snippet.py", dedent(source)))

    return model_of


@pytest.fixture
def asked(model: Callable[[str], FileModel]) -> Callable[[str], Expr]:
    """Return a function that gives the argument of the call of `ask` in a snippet."""

    def expression(source: str) -> Expr:
        (call,) = model(source).method_calls("ask")
        return call.args[0]

    return expression
