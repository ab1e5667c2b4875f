"""Docstrings, which are reStructuredText, are Markdown on the site."""

from __future__ import annotations

from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from textwrap import dedent

import pytest

import trainlint

SCRIPT = Path(trainlint.__file__).parents[1] / "docs" / "docstrings.py"
pytest.importorskip("griffe", reason="the extra `docs` is not installed")
pytestmark = pytest.mark.skipif(not SCRIPT.is_file(), reason="trainlint is installed from a wheel")


@pytest.fixture(scope="module")
def as_markdown():
    """Return the function that turns a docstring into Markdown."""
    spec = spec_from_file_location("docstrings", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.as_markdown


def test_a_role_is_code(as_markdown):
    assert as_markdown("A :class:`Rule`, :func:`~a.b`.") == "A `Rule`, `a.b`."


def test_a_literal_block_is_a_fence_in_its_language(as_markdown):
    python = "As here::\n\n    for x in y:\n        f(x)\n\nThen."
    assert as_markdown(python) == "As here:\n\n```python\nfor x in y:\n    f(x)\n```\n\nThen."
    assert "```text\na b c\n```" in as_markdown("Words::\n\n    a b c")


def test_a_term_and_what_it_means_are_a_definition(as_markdown):
    text = dedent("""\
        ``file.a()``
            the first
            of all.
        ``file.b()``
            the second.
    """)
    assert as_markdown(text).split("\n")[:5] == [
        "``file.a()``",
        ":   the first",
        "    of all.",
        "",
        "``file.b()``",
    ]


def test_arguments_and_errors_are_lists(as_markdown):
    text = dedent("""\
        Do it.

        Args:
            model: The model,
                or a function.
            seeds: How many.

        Returns:
            What was done.

        Raises:
            UserError: It cannot be done.
    """)
    assert as_markdown(text).split("\n")[2:15] == [
        "**Arguments**",
        "",
        "- `model`: The model,",
        "    or a function.",
        "- `seeds`: How many.",
        "",
        "**Returns**",
        "",
        "What was done.",
        "",
        "**Raises**",
        "",
        "- `UserError`: It cannot be done.",
    ]


def test_what_is_markdown_already_stays(as_markdown):
    text = "One sentence.\n\nThe words\n---------\n\n- a\n- b\n"
    assert as_markdown(text) == text
