"""The page that compares trainings in a real browser: it draws every curve, fits, and asks for nothing."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bench.browser import PROGRAM, Browser
from trainlint.cli.recordings import compared
from trainlint.core.diagnosis import Severity
from trainlint.output.comparison import page as page_of
from trainlint.runtime.signals import Layer

pytest.importorskip("plotly", reason="the extra `report` is not installed")
pytestmark = pytest.mark.skipif(PROGRAM is None, reason="there is no chromium to open a page with")

EVIL = "<img src=x onerror=\"document.title='owned'\">"


@pytest.fixture(scope="module")
def html(runs, tmp_path_factory):
    """Return the page of two trainings: in one a layer with an evil name has NaN."""
    folder = tmp_path_factory.mktemp("runs")
    facts = replace(runs.FACTS, layers=(*runs.FACTS.layers, Layer(EVIL, EVIL, 3, weight="w")))

    def step(number, **given):
        plain = runs.measured(number, **given)
        odd = {EVIL: float("nan") if number == 20 else 1.0}
        return replace(plain, facts=facts, signals={**plain.signals, "rms": odd})

    first = [step(number, loss=1 / number) for number in range(1, 41)]
    second = [step(number, loss=70.0 if number == 9 else 2.0, dead=0.9) for number in range(1, 31)]
    said = [
        runs.diagnosis(9, rule="loss-spike", code="TL906", severity=Severity.WARNING, message=EVIL),
        runs.diagnosis(message=f"`{EVIL}` is dead", remedy=EVIL),
    ]
    paths = [
        runs.recorded(folder / "a.tlr", first, said[1:]),
        runs.recorded(folder / "b & <b>.tlr", second, said, batch=EVIL),
    ]
    html = folder / "page.html"
    html.write_text(page_of(compared([str(one) for one in paths])), encoding="utf-8")
    return html


@pytest.fixture(scope="module")
def browser():
    """Return a browser."""
    with Browser() as browser:
        yield browser


@pytest.mark.parametrize(("width", "dark"), [(1440, False), (390, True)])
def test_all_curves_are_drawn_and_the_page_fits(browser, html, width, dark):
    page = browser.open(html, width=width, height=1600, dark=dark)
    page.settle()
    assert page.complaints == []
    assert page.requests == [html.as_uri()]
    assert page.run("document.title") == "2 trainings · trainlint"
    assert page.run("document.querySelectorAll('main img, b script').length") == 0
    assert page.run("document.documentElement.dataset.theme") == ("dark" if dark else "light")
    names, lengths = page.run(
        "(data => [data.map(one => one.name), data.map(one => one.x.length)])"
        "(document.querySelector('[data-chart=\"0\"]').data)"
    )
    assert (names, lengths) == (["A", "B"], [40, 30])
    charts = page.run("document.querySelectorAll('[data-chart]').length")
    drawn = page.run("document.querySelectorAll('.main-svg .scatterlayer .trace').length")
    assert charts > 3
    assert drawn >= 2 * charts
    odd = page.run(
        "[...document.querySelectorAll('h3')].find(one => one.textContent.includes('onerror'))"
        ".nextElementSibling.querySelector('[data-chart]').data.map(one => one.mode)"
    )
    assert odd == ["lines", "lines+markers", "markers", "markers"]  # NaN has marks of its own
    assert page.run("document.documentElement.scrollWidth") <= width


def test_a_click_turns_the_light_off(browser, html):
    page = browser.open(html)
    before = page.run("getComputedStyle(document.body).backgroundColor")
    page.run("document.getElementById('theme').click()")
    page.settle()
    assert page.run("getComputedStyle(document.body).backgroundColor") != before
    assert page.run("document.querySelector('[data-chart=\"0\"]').layout.font.color") == "#e6e9ed"
