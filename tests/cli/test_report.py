"""The report: one HTML file that shows a recording, whatever the names in it."""

from __future__ import annotations

import json
import math
import re
import sys
import zlib
from base64 import b64decode
from dataclasses import replace
from itertools import pairwise

import pytest

from trainlint.core.catalogue import load_catalogue
from trainlint.core.diagnosis import Evidence, Moment
from trainlint.output.report import page, unwrapped
from trainlint.output.report.gathering import Gathered
from trainlint.output.report.series import ABSENT, BROKEN, Columns, Curve, Grid, code
from trainlint.runtime.recordings.recording import Recording
from trainlint.runtime.signals import Layer


def embedded(text: str) -> dict:
    """Return what a page draws."""
    found = re.search(r'<script id="data" type="text/plain">(.*?)</script>', text)
    assert found is not None
    data: dict = json.loads(zlib.decompress(b64decode(found[1])))
    return data


def codes(grid: Grid, name: str) -> tuple[list[int], list[int]]:
    """Return the least and the largest of each cell of a layer, as two bytes."""
    found = grid.cells([name])
    half = len(found) // 2
    both = [low + 256 * high for low, high in zip(found[:half], found[half:], strict=True)]
    return both[: half // 2], both[half // 2 :]


def test_a_curve_keeps_a_spike_of_one_step_among_a_hundred_thousand():
    curve = Curve(500)
    for step in range(1, 100_001):
        curve.add(step, 900.0 if step == 77_777 else step % 7)
    drawn = curve.as_json()
    assert len(drawn["x"]) <= 1000
    assert drawn["y"][drawn["x"].index(77_777)] == 900.0
    assert drawn["x"] == sorted(drawn["x"])


def test_a_curve_keeps_a_single_step_that_is_not_finite():
    curve = Curve(10)
    for step in range(1, 1001):
        curve.add(step, math.nan if step == 500 else 1.0)
    assert "nan" in curve.as_json()["y"]


@pytest.mark.parametrize("leap", [1e9, 1e-9, math.nan, 0.0, -1e9])
@pytest.mark.parametrize("at", [0, 50, 99])
def test_a_cell_keeps_a_leap_of_one_step_upwards_and_downwards(leap, at):
    grid = Grid(2)
    for step in range(100):
        grid.add(1, [("fc", leap if step == at else 1.0)])
    (_, low), (none, high) = codes(grid, "fc")
    expected = BROKEN if math.isnan(leap) else code(abs(leap))
    assert expected in (low, high)
    assert none == ABSENT


def test_columns_hold_measured_steps_and_reach_half_way_to_the_next():
    few = Columns([1, 2, 3, 13], 600)
    assert few.edges == [0.5, 1.5, 2.5, 8.0, 18.0]
    assert Columns([1], 600).edges == [0.5, 1.5]
    assert [few.of(step) for step in (1, 3, 13)] == [0, 2, 3]
    many = Columns(range(10, 10_001, 10), 120)
    assert len(many.firsts) == 100  # 120 would be allowed, but not all of one width
    assert {b - a for a, b in pairwise(many.edges)} == {100}
    assert all(
        first <= step <= last
        for step in range(10, 10_001, 10)
        for first, last in [(many.firsts[many.of(step)], many.lasts[many.of(step)])]
    )
    assert Columns([], 600).edges == []


def test_layers_of_a_heat_map_stand_in_forward_order(folder, runs):
    with Recording(runs.recorded(folder / "a.tlr", map(runs.measured, range(1, 30)))) as recording:
        grids = {one["signal"]: one for one in Gathered(recording).as_json()["grids"]}
    assert grids["rms"]["names"] == ["fc1", "act", "fc2"]
    assert grids["gradient_rms"]["names"] == ["fc1"]


def test_a_spike_of_the_loss_is_marked(folder, runs):
    steps = [runs.measured(at, loss=90.0 if at == 60 else 1 + at % 2) for at in range(1, 101)]
    with Recording(runs.recorded(folder / "a.tlr", steps)) as recording:
        assert Gathered(recording).spikes == [(60, 90.0)]


def test_the_page_says_what_is_wrong_and_draws_signal_and_bound(folder, runs, trainlint):
    pytest.importorskip("plotly")
    steps = [runs.measured(at, dead=0.6) for at in range(1, 20)]
    runs.recorded(folder / "a.tlr", steps, [runs.diagnosis()])
    done = trainlint("report", "a.tlr", "-o", "deep/a.html")
    assert (done.code, done.out) == (0, "deep/a.html\n")
    text = (folder / "deep" / "a.html").read_text()
    assert "The training cannot work like this: 1 error" in text
    assert "Use <code>nn.LeakyReLU</code>." in text
    (diagnosis,) = embedded(text)["diagnoses"]
    (proof,) = diagnosis["proofs"]
    assert (proof["what"], proof["bound"]) == ("dead units", 0.5)
    assert set(embedded(text)["curves"][proof["curve"]]["y"]) == {0.6}
    assert not re.search(r'<(?:script|link|img)[^>]+(?:src|href)="(?!data:)', text)


def test_a_bound_of_a_ratio_is_not_drawn_over_the_signal_it_is_made_from(folder, runs):
    pytest.importorskip("plotly")
    ratio = Evidence("first over last", 1e-5, 1e-3, "gradient_rms")
    said = runs.diagnosis(moment=Moment(7, "fc1", "Linear", (ratio,)))
    steps = map(runs.measured, range(1, 20))
    with Recording(runs.recorded(folder / "a.tlr", steps, [said])) as recording:
        text = page(recording, load_catalogue())
    (proof,) = embedded(text)["diagnoses"][0]["proofs"]
    assert (proof["what"], proof["bound"]) == ("gradient RMS", None)
    assert "1e-05 against the bound 0.001, on a logarithmic scale" in text


def test_the_page_of_each_rule_that_spoke_is_in_the_report_without_links_that_lead_nowhere(
    folder, runs
):
    pytest.importorskip("plotly")
    said = [runs.diagnosis(), runs.diagnosis(rule="unheard-of", code="TL999")]
    with Recording(runs.recorded(folder / "a.tlr", [runs.measured(1)], said)) as recording:
        text = page(recording, load_catalogue())
    assert text.count('id="rule-dead-relu"') == text.count('href="#rule-dead-relu"') == 1
    assert "<h2>When it is fine</h2>" in text or "<h2>Good</h2>" in text
    assert "rule-unheard-of" not in text
    assert not re.search(r'href="(?!https?://|#|data:)', text)


def test_of_very_many_layers_and_diagnoses_the_first_are_shown_until_more_are_asked_for(
    folder, runs
):
    pytest.importorskip("plotly")
    layers = tuple(Layer(f"fc{at}", "Linear", at) for at in range(70))
    facts = replace(runs.FACTS, layers=layers)
    values = {one.name: 1.0 + one.depth for one in layers}
    step = replace(runs.measured(1), facts=facts, signals={"rms": values})
    said = [runs.diagnosis(at) for at in range(1, 26)]
    with Recording(runs.recorded(folder / "a.tlr", [step], said)) as recording:
        text = page(recording, load_catalogue())
    assert text.count("<details data-layer=") == 50
    assert len(embedded(text)["layers"]) == 20
    assert "Show all 70 layers" in text
    assert re.search(r'<details class="rest"><summary>5 more</summary>\s*<details[^>]*-20"', text)
    assert len(re.findall(r'class="diagnosis error"[^>]* open>', text)) == 8
    assert text.count("<details") == text.count("</details>")


def test_plotly_is_taken_out_of_its_wrapping_and_anything_else_left_as_it_is():
    wrapped = (
        '/** MIT */\n(function(r, f) { f(); }(self, () => {\n"use strict";var Plotly=(()=>{"é😀"})();'
        "\nwindow.Plotly = Plotly;\nreturn Plotly;\n}));"
    )
    assert unwrapped(wrapped) == (
        '/** MIT */\n"use strict";var Plotly=(()=>{"\\u00e9\\ud83d\\ude00"})();\nwindow.Plotly = Plotly;'
    )
    assert unwrapped("built otherwise") == "built otherwise"
    whole = pytest.importorskip("plotly.offline").get_plotlyjs()
    assert len(whole) - 1000 < len(unwrapped(whole)) < len(whole)


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("use `nn.<GELU>` & go", "use <code>nn.&lt;GELU&gt;</code> &amp; go"),
        ("a ` alone <b>", "a ` alone &lt;b&gt;"),
    ],
)
def test_what_stands_in_backticks_is_code_and_nothing_is_a_tag(text, html):
    telling = pytest.importorskip("trainlint.output.report.telling")
    assert telling.marked(text) == html


def test_names_of_the_model_cannot_become_tags(folder, runs):
    pytest.importorskip("plotly")
    evil = "<script>alert(1)</script>"
    facts = replace(runs.FACTS, layers=(Layer(evil, "<b>ReLU", 0),))
    step = replace(runs.measured(1), facts=facts, signals={"rms": {evil: 1.0}})
    said = runs.diagnosis(message=f"{evil} is dead", remedy=evil)
    with Recording(runs.recorded(folder / "a.tlr", [step], [said], model=evil)) as recording:
        text = page(recording, load_catalogue())
    assert "<script>alert" not in text
    assert "<b>ReLU" not in text
    assert "&lt;script&gt;alert(1)" in text
    assert embedded(text)["grids"][0]["names"] == [evil]


def test_without_the_extra_one_line_says_what_to_install(folder, runs, trainlint, monkeypatch):
    runs.recorded(folder / "a.tlr", [runs.measured(1)])
    monkeypatch.setitem(sys.modules, "plotly.offline", None)
    done = trainlint("report", "a.tlr")
    assert done.code == 2
    assert done.err == (
        "error: a report needs plotly and Jinja2; to install them: pip install 'trainlint[report]'\n"
    )
    assert not (folder / "a.html").exists()


def test_a_recording_without_steps_has_a_page(folder, runs, trainlint):
    pytest.importorskip("plotly")
    runs.recorded(folder / "a.tlr", [])
    assert trainlint("report", "a.tlr").code == 0
    text = (folder / "a.html").read_text()
    assert "no step was recorded" in text
    assert "looks healthy" not in text


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("cut.tlr",), "cut.tlr: cannot be read: it is damaged or cut off"),
        (("text.tlr",), "text.tlr: cannot be read: it is no recording"),
        (("none.tlr",), "none.tlr: there is no such file"),
        (("folder",), "folder: is a folder, not a recording"),
        (("a.tlr", "-o", "folder"), "folder: cannot be written: Is a directory"),
        (("a.tlr", "-o", "text.tlr/a.html"), "text.tlr/a.html: cannot be written: "),
    ],
)
def test_what_cannot_be_read_or_written_is_one_line(folder, runs, trainlint, arguments, says):
    pytest.importorskip("plotly")
    whole = runs.recorded(folder / "a.tlr", map(runs.measured, range(1, 30))).read_bytes()
    (folder / "cut.tlr").write_bytes(whole[: len(whole) // 2])
    (folder / "text.tlr").write_text("no recording")
    (folder / "folder").mkdir()
    done = trainlint("report", *arguments)
    assert (done.code, done.out) == (2, "")
    assert done.err.startswith(f"error: {says}")
    assert done.err.count("\n") == 1
    assert not list(folder.glob("*.html"))


def test_a_report_is_not_written_over_its_recording(folder, runs, trainlint):
    runs.recorded(folder / "a.tlr", [runs.measured(1)])
    assert trainlint("report", "a.tlr", "-o", "a.tlr").code == 2


def test_a_session_that_counts_anew_goes_on_where_the_one_before_ended(folder, runs):
    path = runs.recorded(folder / "a.tlr", map(runs.light, range(1, 11)))
    with runs.Recorder.create(str(path), runs.RUN, append=True) as recorder:
        for number in range(1, 6):
            recorder.write(runs.light(number))
    with Recording(path) as recording:
        gathered = Gathered(recording)
    assert (gathered.end, gathered.resumed) == (15, [10])
