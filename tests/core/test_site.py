"""Rules link to their pages on the site where its address is known."""

from __future__ import annotations

import sys
from types import ModuleType

import pytest

from trainlint.core.diagnosis import Severity
from trainlint.core.errors import UserError
from trainlint.core.rule import Rule
from trainlint.core.site import page_url, site_url


def test_without_an_address_there_are_no_links(catalogue, monkeypatch):
    for nothing in ("", " "):
        monkeypatch.setenv("TRAINLINT_SITE", nothing)
        assert site_url() is None
        assert page_url(catalogue.find("TL301")) is None
    monkeypatch.delenv("TRAINLINT_SITE")
    assert site_url() is None


@pytest.mark.parametrize("address", ["https://lint.example", "https://lint.example/"])
def test_a_page_lies_under_the_address_of_the_site(catalogue, monkeypatch, address):
    monkeypatch.setenv("TRAINLINT_SITE", address)
    assert page_url(catalogue.find("TL301")) == (
        "https://lint.example/rules/loss/softmax-before-cross-entropy/"
    )


def test_the_site_has_no_page_of_a_rule_of_others(monkeypatch):
    monkeypatch.setenv("TRAINLINT_SITE", "https://lint.example")
    monkeypatch.setitem(sys.modules, "others.loss.strange", ModuleType("others.loss.strange"))
    assert page_url(Rule("others.loss.strange", "XX1", Severity.ERROR)) is None


@pytest.mark.parametrize("address", ["lint.example", "ftp://x", "https://x y", "javascript:f()"])
def test_what_is_no_address_of_the_web_is_one_line(monkeypatch, address):
    monkeypatch.setenv("TRAINLINT_SITE", address)
    with pytest.raises(UserError, match="TRAINLINT_SITE: expects an address"):
        site_url()
