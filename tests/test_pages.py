"""Every rule has a page, and every page is executed."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from trainlint.core.catalogue import load_catalogue, page_path
from trainlint.core.config import Config, Selection, resolve
from trainlint.core.fix import apply_fixes
from trainlint.core.page import Page, read_page
from trainlint.core.rule import Family, Rule
from trainlint.static.engine import lint_source
from trainlint.static.source import SourceFile

if TYPE_CHECKING:
    from trainlint.core.diagnosis import Diagnosis

CATALOGUE = load_catalogue(("trainlint.rules",))
EVERYTHING = resolve(CATALOGUE, Config(selection=Selection("this test", select=("ALL",))))
RULES = [pytest.param(rule, id=rule.name) for rule in CATALOGUE]
CHECKED = [pytest.param(rule, id=rule.name) for rule in CATALOGUE if rule.has_check]
FIXABLE = [pytest.param(rule, id=rule.name) for rule in CATALOGUE if rule.fixable]
SECTIONS = ("Bad", "Good", "When it is fine", "Sources")
ENDINGS = {"python": "py", "yaml": "yaml"}
"""The languages of the blocks that are executed, and what a file in each ends in."""
MARK = re.compile(r"  # (TL\d{3})$", re.MULTILINE)


def page_of(rule: Rule) -> Page:
    """Return the page of a rule, which must be there."""
    page = read_page(rule)
    assert page is not None, f"{rule.name} has no page"
    return page


def examples_of(page: Page, section: str) -> list[tuple[str, str]]:
    """Return the blocks of a section that are executed, each with its language."""
    return [(one, code) for one in ENDINGS for code in page.examples(section, one)]


def diagnoses_of(code: str, language: str) -> list[Diagnosis]:
    """Return what all rules say of a block, which is read without its marks."""
    text = MARK.sub("", code).encode()
    report = lint_source(SourceFile.from_bytes(f"page.{ENDINGS[language]}", text), EVERYTHING)
    assert not report.failures
    return report.diagnoses


def marked_lines(code: str, rule: Rule) -> list[int]:
    """Return the lines of a block that end in a mark, which must be of the page's own rule."""
    marks = [MARK.search(line) for line in code.splitlines()]
    assert {mark[1] for mark in marks if mark} <= {rule.code}
    return [number for number, mark in enumerate(marks, start=1) if mark]


@pytest.mark.parametrize("rule", RULES)
def test_the_page_has_its_parts_in_order(rule: Rule) -> None:
    page = page_of(rule)
    assert page.title == f"{rule.code} {rule.name}"
    assert page.summary.endswith(".")
    assert list(page.sections) == [name for name in SECTIONS if name in page.sections]
    assert {"Bad", "Good", "Sources"} <= set(page.sections)
    assert page.examples("Bad")
    assert page.examples("Good")


@pytest.mark.parametrize("rule", RULES)
def test_every_source_of_the_page_is_a_link(rule: Rule) -> None:
    items = page_of(rule).sections["Sources"].splitlines()
    assert items
    for item in items:
        assert re.match(r"- \[.+?\]\(https?://[^)\s]+\)(: \S.*)?$", item), item
    assert len(page_of(rule).sources) >= len(items)


@pytest.mark.parametrize("rule", CHECKED)
def test_a_bad_block_gives_exactly_the_marked_diagnoses(rule: Rule) -> None:
    for language, code in examples_of(page_of(rule), "Bad"):
        marked = marked_lines(code, rule)
        assert marked, code
        found = diagnoses_of(code, language)
        spoken = [one.span.line for one in found if one.rule == rule.name]
        assert spoken == marked, code


@pytest.mark.parametrize("rule", RULES)
def test_a_good_block_is_clean_under_every_rule(rule: Rule) -> None:
    for language, code in examples_of(page_of(rule), "Good"):
        assert not MARK.search(code)
        found = diagnoses_of(code, language)
        spoken = [f"{one.span.line}: {one.code} {one.message}" for one in found]
        assert spoken == [], code


@pytest.mark.parametrize("rule", FIXABLE)
def test_the_fix_of_a_bad_block_is_the_good_block_to_the_letter(rule: Rule) -> None:
    page = page_of(rule)
    bad, good = examples_of(page, "Bad"), examples_of(page, "Good")
    fixed = 0
    for number, (language, code) in enumerate(bad):
        own = [one for one in diagnoses_of(code, language) if one.rule == rule.name]
        fixes = [one.fix for one in own if one.fix is not None]
        assert all(fix.safety is rule.fixable for fix in fixes)
        if len(fixes) < len(own):
            continue  # what no edit can mend has only a remedy
        text, refused = apply_fixes(MARK.sub("", code), fixes)
        assert not refused
        assert (language, text) == good[number]
        fixed += 1
    assert fixed, "the rule says that it is fixable, but no block of its page shows a fix"


@pytest.mark.parametrize("rule", RULES)
def test_a_rule_that_offers_a_fix_says_that_it_is_fixable(rule: Rule) -> None:
    bad = examples_of(page_of(rule), "Bad")
    found = [one for language, code in bad for one in diagnoses_of(code, language)]
    assert rule.fixable or not any(one.fix for one in found if one.rule == rule.name)


def test_there_is_no_page_without_a_rule() -> None:
    some = page_path(next(iter(CATALOGUE)))
    assert some is not None
    pages = {f"{page.parent.name}/{page.stem}" for page in some.parents[1].glob("*/*.md")}
    assert pages == {f"{rule.family}/{rule.name}" for rule in CATALOGUE}


def test_a_code_starts_with_the_digit_of_its_family_and_is_of_one_rule() -> None:
    codes = [rule.code for rule in CATALOGUE]
    assert len(set(codes)) == len(codes)
    for rule in CATALOGUE:
        assert re.fullmatch(rf"TL{rule.family.digit}\d\d", rule.code), rule


def test_every_rule_has_a_summary_of_one_sentence() -> None:
    for rule in CATALOGUE:
        assert re.fullmatch(r"[A-Z`].*[^.]\.", rule.summary), rule


def test_no_rule_is_called_like_a_group_of_rules() -> None:
    assert not {rule.name for rule in CATALOGUE} & {*Family, "ALL", "error", "warning", "advice"}
