"""The site has a page of every rule where diagnoses link to it, and its links lead to pages."""

from __future__ import annotations

import posixpath
import re
import sys
import tomllib
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import pytest

import trainlint
from trainlint.core.site import page_url
from trainlint.output.formats import FORMATS

CHECKOUT = Path(trainlint.__file__).parents[1]
DOCS = CHECKOUT / "docs"
pytestmark = pytest.mark.skipif(
    not (CHECKOUT / "mkdocs.yml").is_file(), reason="trainlint is installed from a wheel"
)


@pytest.fixture(scope="module")
def generate():
    """Return the script that makes the pages."""
    spec = spec_from_file_location("generate", DOCS / "generate.py")
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    sys.modules["generate"] = module
    spec.loader.exec_module(module)
    yield module
    del sys.modules["generate"]


@pytest.fixture(scope="module")
def pages(generate):
    """Return the text of every page of the site by its path."""
    written = {str(one.relative_to(DOCS)): one.read_text() for one in DOCS.rglob("*.md")}
    made = generate.pages()
    assert not set(written) & set(made), "a page that is made must not be committed"
    return written | made


def test_each_rule_has_a_page_where_diagnoses_link_to_it(pages, catalogue, monkeypatch):
    monkeypatch.setenv("TRAINLINT_SITE", "https://lint.example")
    for rule in catalogue:
        url = page_url(rule)
        assert url is not None
        page = pages[url.removeprefix("https://lint.example/").rstrip("/") + ".md"]
        assert page.startswith(f"# {rule.code} {rule.name}\n")


def test_each_link_between_pages_leads_to_a_page(pages, generate):
    seen = 0
    for page, text in pages.items():
        for line, fenced in generate._lines(text):
            for match in () if fenced else generate._LINK.finditer(line):
                target = match["target"].partition("#")[0]
                if "://" not in target and target.endswith(".md"):
                    assert (
                        posixpath.normpath(posixpath.join(posixpath.dirname(page), target)) in pages
                    )
                    seen += 1
    assert seen > 400


def test_the_navigation_names_each_page_once(pages, generate):
    def named(entry):
        if isinstance(entry, str):
            yield entry
        else:
            for inner in entry.values() if isinstance(entry, dict) else entry:
                yield from named(inner)

    found = list(named(generate.navigation(generate._rules())))
    assert sorted(found) == sorted(pages)


def test_the_index_and_the_families_list_every_rule(pages, catalogue):
    for rule in catalogue:
        row = f"| {rule.code} | [{rule.name}]("
        assert row + f"{rule.family}/{rule.name}.md)" in pages["rules/index.md"]
        assert row + f"{rule.name}.md)" in pages[f"rules/{rule.family}/index.md"]


def test_the_settings_on_a_page_are_toml_and_the_defaults(pages, catalogue):
    seen = 0
    for rule in catalogue:
        text = pages[f"rules/{rule.family}/{rule.name}.md"]
        found = re.search(r"^## Settings\n.*?```toml\n(.*?)```", text, re.DOTALL | re.MULTILINE)
        assert bool(found) is bool(rule.thresholds), rule.name
        if found:
            table = tomllib.loads(found[1])["tool"]["trainlint"]["rules"][rule.name]
            for name, value in rule.thresholds.items():
                read = table[name.replace("_", "-")]
                assert (set(read) if isinstance(read, list) else read) == (
                    set(value) if isinstance(value, (list, tuple, set, frozenset)) else value
                )
            seen += 1
    assert seen > 10


def test_diagnosed_lines_are_highlighted(generate):
    text = (
        "# T\n\n```python\na = 1\nb = 2  # TL301\nc = 3  # TL301, TL501\n```\n\n```python\nx\n```"
    )
    assert "\n".join(generate._highlighted(text)) == text.replace(
        "```python\na", '```python hl_lines="2 3"\na'
    )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[a](other.md)", "[a](two.md)"),
        ("[a](../README.md#use-it)", "[a](../index.md#use-it)"),
        ("[a](https://x.org/other.md) [b](#here)", "[a](https://x.org/other.md) [b](#here)"),
        ("see [`a[0]`](../bench)", "see `a[0]`"),
        ("```\n[a](other.md)\n```", "```\n[a](other.md)\n```"),
        (
            "````md\n```\n[a](other.md)\n```\n````\n[a](other.md)",
            "````md\n```\n[a](other.md)\n```\n````\n[a](two.md)",
        ),
    ],
)
def test_links_between_files_become_links_between_pages(generate, text, expected):
    places = {"README.md": "index.md", "rules/other.md": "rules/two.md"}
    assert generate.relinked(text, "rules/one.md", "rules/one.md", places) == expected


def test_the_pictures_of_the_readme_are_on_the_site_and_small(pages):
    pictures = re.findall(r"!\[[^\]]+\]\((\w+\.(?:png|svg))\)", pages["index.md"])
    assert pictures == ["report.png", "live.svg"]
    for one in pictures:
        assert (DOCS / one).stat().st_size < 150_000


def test_the_page_of_the_formats_has_each(pages):
    for name in FORMATS:
        assert f"| `{name}` |" in pages["formats.md"]
