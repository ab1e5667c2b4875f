"""The report in a real browser: it draws, answers to mouse and keys, can be read anywhere, asks for nothing."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

import trainlint
from bench.browser import PROGRAM, Browser
from trainlint.core.catalogue import load_catalogue
from trainlint.core.diagnosis import Evidence, Moment, Severity
from trainlint.output.report import page as page_of
from trainlint.runtime.recordings.recording import Recording
from trainlint.runtime.signals import Layer, Step

pytest.importorskip("plotly", reason="the extra `report` is not installed")
pytestmark = pytest.mark.skipif(
    PROGRAM is None, reason="there is no chromium to open a report with"
)

EVIL = "<script>document.title='owned'</script><img src=x onerror=\"document.title='owned'\">"
LONG = ".".join(["encoder", "layers", "11", "self_attention", "projection_of_the_output"] * 2)
STEPS = 40
MORE = 48
"""So many layers of no interest: with the others a few more than the table has at once."""


@pytest.fixture(scope="module")
def browser():
    """Return a browser."""
    with Browser() as browser:
        yield browser


@pytest.fixture(scope="module")
def recorded(runs, tmp_path_factory):
    """Return the recording of a training with names that are no words."""
    layers = (
        *runs.FACTS.layers,
        Layer(EVIL, "<b>ReLU", 3, activation=runs.FACTS.layers[1].activation),
        Layer(LONG, "Linear", 4, "64→64"),
        *(Layer(f"block{at}", "Linear", 5 + at) for at in range(MORE)),
    )
    facts = replace(runs.FACTS, layers=layers)

    blocks = {f"block{at}": 1.0 for at in range(MORE)}

    def step(number: int) -> Step:
        plain = runs.measured(number, loss=9.0 if number == 31 else 1 / number, dead=number / 50)
        signals = {**plain.signals, "rms": {**plain.signals["rms"], EVIL: 3.0, LONG: 4.0, **blocks}}
        return Step(number, facts, signals, is_measured=True, time=plain.time)

    dead = (Evidence("dead units", 30 / 50, 0.5, "dead_units"),)
    ratio = (Evidence("first over last", 1e-6, 1e-3, "gradient_rms"),)
    said = [
        runs.diagnosis(30, moment=Moment(30, "act", "ReLU", dead)),
        runs.diagnosis(
            9, moment=Moment(9, "fc1", "Linear", ratio), rule=EVIL, severity=Severity.WARNING
        ),
        runs.diagnosis(12, moment=Moment(12, EVIL, EVIL), message=EVIL, remedy=f"`{EVIL}`"),
        runs.diagnosis(0, moment=Moment(0, LONG, "Linear"), severity=Severity.ADVICE),
    ]
    path = tmp_path_factory.mktemp("report") / "run.tlr"
    return runs.recorded(path, map(step, range(1, STEPS + 1)), said, model=EVIL)


def written(path):
    """Write the report of a recording beside it."""
    html = path.with_suffix(".html")
    with Recording(path) as recording:
        html.write_text(page_of(recording, load_catalogue()), encoding="utf-8")
    return html


@pytest.fixture(scope="module")
def html(recorded):
    """Return the report of that training."""
    return written(recorded)


@pytest.fixture(scope="module")
def opened(browser, html):
    """Return a function that opens the report, with its heat map drawn."""

    def open_page(path=html, **given):
        page = browser.open(path, **given)
        page.wait("document.documentElement.dataset.drawn")
        page.run("window.dispatchEvent(new Event('resize'))")
        page.settle()
        return page

    return open_page


@pytest.fixture(scope="module")
def wide(opened):
    """Return the report in a window of a desk."""
    return opened(height=2600)


def range_of(page, chart: str) -> list[float]:
    """Return the steps that a chart shows."""
    found: list[float] = page.run(f"document.querySelector('{chart}')._fullLayout.xaxis.range")
    return found


def middle_of(page, selector: str) -> tuple[float, float]:
    """Return the place of an element's middle in the window."""
    page.run(f"document.querySelector('{selector}').scrollIntoView({{block: 'center'}})")
    page.settle()
    box = page.run(
        f"(b => [b.x + b.width / 2, b.y + b.height / 2])"
        f"(document.querySelector('{selector}').getBoundingClientRect())"
    )
    return box[0], box[1]


def test_nothing_is_complained_about_or_fetched_and_no_name_runs(wide, html):
    assert wide.complaints == []
    assert wide.requests == [html.as_uri()]
    assert wide.run("document.title") == "run.tlr · trainlint"
    assert wide.run("document.querySelectorAll('img, b script, main script').length") == 0
    assert EVIL in wide.run("[...document.querySelectorAll('.name b')].map(one => one.textContent)")


def test_every_signal_has_a_heat_map_of_its_layers_in_forward_order(wide):
    tabs = wide.run("[...document.querySelectorAll('#tabs button')].map(one => one.textContent)")
    assert tabs == ["Gradient RMS", "Activation RMS", "Dead units"]
    for at, rows in enumerate((1, 5 + MORE, 1)):
        wide.run(f"document.querySelectorAll('#tabs button')[{at}].click()")
        wide.settle()
        shape = wide.run(
            "(z => [z.length, z[0].length])(document.getElementById('heat').data[0].z)"
        )
        assert shape == [rows, STEPS]
        pixels = "document.querySelector('#heat .heatmaplayer image').getBoundingClientRect().width"
        assert wide.run(pixels) > 300
    wide.run("document.querySelectorAll('#tabs button')[1].click()")
    wide.settle()
    marks = "[...document.querySelectorAll('#heat .ytick text')].map(one => one.textContent)"
    assert wide.run(marks)[:2] == ["fc1", "fc2"]  # of so many layers every other one is named
    # NaN, which `fc2` puts out, has a colour of its own, and the legend of it.
    assert wide.run("document.getElementById('heat').data.length") == 2
    assert wide.run("document.getElementById('broken').hidden") is False


def test_the_loss_has_its_spike_the_rate_and_the_diagnoses(wide):
    names = wide.run("document.querySelector('[data-chart=loss]').data.map(one => one.name)")
    assert names == ["loss", "spike", "error", "warning", "learning rate"]
    told = wide.run("document.querySelector('[data-chart=time]').data.map(one => one.x)")
    assert told == [[30, 12], [9], [0]]


def test_the_mouse_is_told_the_value_of_a_cell(wide):
    wide.run("document.querySelectorAll('#tabs button')[0].click()")
    x, y = middle_of(wide, "#heat .nsewdrag")
    wide.mouse("mouseMoved", x, y)
    wide.wait("!document.getElementById('tip').hidden")
    text = wide.run("document.getElementById('tip').textContent")
    found = re.fullmatch(r"fc1, step (\d+): gradient rms (.+)", text)
    assert found is not None, text
    assert abs(int(found[1]) - STEPS / 2) <= 2  # the middle of the run
    assert float(found[2]) == pytest.approx(1e-3 / int(found[1]), rel=0.01)
    wide.mouse("mouseMoved", 5, 5)
    wide.wait("document.getElementById('tip').hidden")


def test_all_charts_zoom_together_and_back_by_mouse_and_keys(wide):
    whole = range_of(wide, "#heat")
    assert whole == range_of(wide, "[data-chart=loss]") == range_of(wide, "[data-chart=time]")
    x, y = middle_of(wide, "#heat .nsewdrag")
    wide.drag((x - 100, y), (x + 100, y + 5))
    wide.wait("document.getElementById('heat')._fullLayout.xaxis.range[0] > 5")
    wide.settle()
    near = range_of(wide, "#heat")
    assert near[1] - near[0] < 0.5 * (whole[1] - whole[0])
    assert range_of(wide, "[data-chart=loss]") == pytest.approx(near)
    wide.run("document.querySelector('#zoom :last-child').click()")
    wide.wait("document.querySelector('#zoom :last-child').disabled")
    wide.settle()
    assert range_of(wide, "#heat") == range_of(wide, "[data-chart=time]") == whole
    wide.run("document.getElementById('heat').focus()")
    wide.press("ArrowRight")
    wide.press("ArrowRight")
    assert wide.run("document.getElementById('cell').textContent").startswith("fc1, step 2: ")
    wide.press("+")
    wide.wait("document.getElementById('heat')._fullLayout.xaxis.range[1] < 30")
    wide.press("0")
    wide.wait("document.querySelector('#zoom :last-child').disabled")
    wide.settle()
    assert range_of(wide, "#heat") == whole


def test_evidence_is_drawn_with_its_bound_or_on_a_scale(wide):
    wide.run("document.getElementById('diagnosis-0').scrollIntoView()")
    wide.wait("document.querySelector('#diagnosis-0 .js-plotly-plot')")
    wide.settle()
    drawn = wide.run(
        "(g => [g.layout.shapes[0].y0, g.data[0].y.length])"
        "(document.querySelector('#diagnosis-0 .js-plotly-plot'))"
    )
    assert drawn == [0.5, STEPS]
    assert wide.run("document.querySelectorAll('#diagnosis-0 .scale').length") == 0
    left = "parseFloat(document.querySelector('#diagnosis-1 .scale .{}').style.left)"
    assert wide.run(left.format("value")) < wide.run(left.format("limit"))


def test_keys_reach_a_layer_and_open_it_with_the_focus_in_sight(opened):
    page = opened()
    page.press("Tab")
    assert page.run("document.activeElement.className") == "skip"
    assert page.run("document.activeElement.getBoundingClientRect().left") >= 0
    page.press("Enter")
    page.settle()
    page.press("Tab")
    assert page.run("document.activeElement.id") == "filter"
    page.press("Tab")
    assert page.run("document.activeElement.parentElement.dataset.layer") == "act"
    assert page.run("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    page.press("Enter")
    page.wait("document.querySelectorAll('[data-layer=act] .js-plotly-plot').length === 2")
    assert "model.py:15" in page.run("document.querySelector('[data-layer=act]').textContent")
    assert page.complaints == []
    page.close()


def test_the_table_is_filtered_and_a_link_opens_what_it_leads_to(wide):
    shown = (
        "[...document.querySelectorAll('#table details')].filter(one => one.offsetHeight)"
        ".map(one => one.dataset.layer)"
    )
    assert len(wide.run(shown)) == 50
    wide.run(
        "(f => { f.value = 'FC'; f.dispatchEvent(new Event('input')); })"
        "(document.getElementById('filter'))"
    )
    assert sorted(wide.run(shown)) == ["fc1", "fc2"]
    last = f"block{MORE - 1}"
    wide.run(
        f"(f => {{ f.value = '{last}'; f.dispatchEvent(new Event('input')); }})"
        "(document.getElementById('filter'))"
    )
    assert wide.run(shown) == [last]
    wide.run(f"document.querySelector('[data-layer={last}] summary').click()")
    wide.wait(f"document.querySelector('[data-layer={last}] .js-plotly-plot')")
    wide.run(
        "(f => { f.value = ''; f.dispatchEvent(new Event('input')); })"
        "(document.getElementById('filter'))"
    )
    assert len(wide.run(shown)) == 5 + MORE
    wide.run("document.querySelector('a[href=\"#rule-dead-relu\"]').click()")
    wide.wait("document.getElementById('rule-dead-relu').open")


CONTRAST = """(() => {
  const parts = (text) => (text.match(/[\\d.]+/g) || []).map(Number);
  const light = (rgb) => rgb.map((one) => one / 255)
    .map((one) => one <= 0.03928 ? one / 12.92 : ((one + 0.055) / 1.055) ** 2.4)
    .reduce((sum, one, at) => sum + one * [0.2126, 0.7152, 0.0722][at], 0);
  const behind = (element) => {
    for (let one = element; one; one = one.parentElement) {
      const found = parts(getComputedStyle(one).backgroundColor);
      if (found.length === 3 || found[3] > 0.5) return found.slice(0, 3);
    }
    return [255, 255, 255];
  };
  const bad = [];
  for (const one of document.querySelectorAll("body *")) {
    const says = [...one.childNodes].some((it) => it.nodeType === 3 && it.textContent.trim());
    if (!says || !one.getBoundingClientRect().width || one.closest("script, #tip, :disabled")) continue;
    const style = getComputedStyle(one), front = parts(one.closest("svg") ? style.fill : style.color);
    const [a, b] = [light(front.slice(0, 3)), light(behind(one))].sort((x, y) => y - x);
    const contrast = (a + 0.05) / (b + 0.05);
    if (contrast < 4.5) bad.push(`${one.tagName}.${one.className} ${one.textContent.slice(0, 20)}: ${contrast.toFixed(2)}`);
  }
  return bad;
})()"""


@pytest.mark.parametrize("dark", [True, False])
def test_every_text_has_the_contrast_that_wcag_asks_for(wide, dark):
    wide.emulate(dark=dark)
    wide.settle()
    assert wide.run("document.documentElement.dataset.theme") == ("dark" if dark else "light")
    assert wide.run(CONTRAST) == []
    wide.run("document.getElementById('theme').click()")
    wide.settle()
    assert wide.run("document.documentElement.dataset.theme") == ("light" if dark else "dark")
    assert wide.run(CONTRAST) == []


def test_a_phone_scrolls_in_one_direction_only(opened):
    page = opened(width=390, height=844)
    page.run("document.querySelectorAll('details').forEach(one => { one.open = true; })")
    page.settle()
    assert page.run("document.documentElement.scrollWidth") == 390
    # A finger on a chart scrolls the page.
    assert page.run("document.getElementById('heat')._fullLayout.width") <= 390
    assert page.complaints == []
    page.close()


def test_what_is_printed_fits_on_the_paper_without_what_only_a_screen_can_do(wide):
    page = wide
    page.emulate(dark=True)
    page.settle()
    pdf = page.pdf()
    assert 2 <= len(re.findall(rb"/Type\s*/Page\b", pdf)) <= 12
    page.run("window.dispatchEvent(new Event('beforeprint'))")
    page.resize(680, 1000)
    page.emulate(dark=True, media="print")
    page.settle()
    wider = """[...document.querySelectorAll("main *")].filter((one) => !one.closest("pre, .draglayer")
        && one.getBoundingClientRect().right > 682).map((one) => one.outerHTML.slice(0, 80))"""
    assert page.run(wider) == []
    seen = "[...document.querySelectorAll('button, input, nav')].filter(one => one.offsetHeight)"
    assert page.run(f"{seen}.map(one => one.textContent)") == ["Gradient RMS"]
    assert page.run("document.documentElement.dataset.theme") == "light"
    assert page.run("document.querySelector('#diagnosis-0 .js-plotly-plot') !== null")
    page.run("window.dispatchEvent(new Event('afterprint'))")
    assert page.run("document.documentElement.dataset.theme") == "dark"
    assert page.complaints == []
    page.emulate()
    page.resize(1440, 2600)


@pytest.mark.parametrize(("steps", "says"), [(0, "no step was recorded"), (1, "in 1 step")])
def test_a_training_that_hardly_began_has_a_page_that_says_so(opened, runs, tmp_path, steps, says):
    path = runs.recorded(tmp_path / "a.tlr", map(runs.measured, range(1, steps + 1)))
    page = opened(written(path))
    assert says in page.run("document.querySelector('h1').textContent")
    assert page.run("document.querySelectorAll('.js-plotly-plot').length") == (2 if steps else 0)
    assert page.run("document.querySelectorAll('.empty').length") == (0 if steps else 3)
    assert page.complaints == []
    page.close()


def test_a_training_that_was_watched_has_a_page_of_what_was_measured(opened, tmp_path):
    torch = pytest.importorskip("torch", reason="the extra `torch` is not installed")
    torch.manual_seed(0)
    model = torch.nn.Sequential(torch.nn.Linear(4, 8), torch.nn.Tanh(), torch.nn.Linear(8, 1))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    path = tmp_path / "run.tlr"
    with trainlint.watch(model, optimizer, every=1, live=False, recording=str(path)):
        for _ in range(6):
            optimizer.zero_grad()
            model(torch.randn(16, 4)).square().mean().backward()
            optimizer.step()
    page = opened(written(path))
    titles = page.run("[...document.querySelectorAll('#tabs button')].map(one => one.textContent)")
    assert titles == ["Gradient RMS", "Update ratio", "Activation RMS", "Saturation"]
    assert page.run("document.getElementById('heat').data[0].z.map(one => one.length)") == [6, 6]
    facts = page.run("document.querySelector('dl').textContent")
    assert "overhead of watching" in facts
    assert f"torch{torch.__version__}" in facts
    place = page.run("document.querySelector('#table figure').textContent")
    assert "test_report_page.py:" in place
    assert "torch.nn.Linear(4, 8)" in place
    assert page.complaints == []
    page.close()
