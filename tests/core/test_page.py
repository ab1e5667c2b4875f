"""A page is read into its title, its summary, its examples and its sources."""

from __future__ import annotations

from textwrap import dedent

import pytest

from trainlint.core.page import Link, Page, parse_page

TEXT = """
    # TL301 cursed-loss

    A loss that never falls, e.g. `loss. It` is cursed. Take
    another one.

    More about it.

    ## Bad

    ```python
    # no heading
    ## nor this
    loss = 1  # TL301
    ```

    Text between.

    ```text
    not Python
    ```

    ## Good

    ```python
    loss = 0
    ```

    ## Bad

    ```python
    second = 1
    ```

    ## Sources

    - [The book [2nd ed.]](https://example.org/book): says so
    - [Paper](http://example.org/paper.pdf)
"""


@pytest.fixture
def page(tmp_path):
    """Return a page that has been read from a file."""
    path = tmp_path / "page.md"
    path.write_text(dedent(TEXT).lstrip(), encoding="utf-8")
    return parse_page(path)


def test_the_title_and_the_text_are_kept(page):
    assert page.title == "TL301 cursed-loss"
    assert page.text == dedent(TEXT).lstrip()


def test_sections_of_one_name_are_one_section(page):
    assert list(page.sections) == ["Bad", "Good", "Sources"]
    assert page.examples("Bad") == [
        "# no heading\n## nor this\nloss = 1  # TL301\n",
        "second = 1\n",
    ]
    assert page.examples("Good") == ["loss = 0\n"]
    assert page.examples("Missing") == []


def test_the_sources_are_links(page):
    assert page.sources == [
        Link("The book [2nd ed.]", "https://example.org/book"),
        Link("Paper", "http://example.org/paper.pdf"),
    ]


@pytest.mark.parametrize(
    ("introduction", "summary"),
    [
        ("One sentence.", "One sentence."),
        ("One\nsentence. Another.", "One sentence."),
        ("Rate 0.1 of `a. b` is high! Yes.", "Rate 0.1 of `a. b` is high!"),
        ("Is it? No.", "Is it?"),
        ("No end", "No end"),
        ("First part\n\nSecond. Part.", "First part"),
        ("", ""),
    ],
)
def test_the_summary_is_the_first_sentence(introduction, summary):
    assert Page("", "", introduction, {}).summary == summary
