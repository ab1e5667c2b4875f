"""A notebook shows monitors and reports as tables, and a running training as one that is updated in place."""

from __future__ import annotations

import sys
from dataclasses import replace
from html.parser import HTMLParser
from types import ModuleType, SimpleNamespace

import pytest
import torch
from torch import nn

import trainlint
from trainlint.output import fragment, notebook
from trainlint.runtime.lr_finder import LRReport
from trainlint.runtime.trials.batch_size_report import BatchSizeReport

EVIL = "<script>alert(1)</script>"


class Read(HTMLParser):
    """The rows of the tables of a piece of HTML; it raises where a tag is not closed."""

    def __init__(self, text):
        super().__init__()
        self.rows = []
        self.open: list[str] = []
        self.feed(text)
        self.close()
        assert not self.open, self.open

    def handle_starttag(self, tag, attrs):
        del attrs
        if tag not in {"br", "polyline", "line"}:
            self.open.append(tag)
        if tag == "tr":
            self.rows.append([])
        if tag in {"td", "th"}:
            self.rows[-1].append("")

    def handle_endtag(self, tag):
        assert tag in {"polyline", "line"} or self.open.pop() == tag

    def handle_data(self, data):
        if {"td", "th"} & set(self.open):
            self.rows[-1][-1] += data


def network():
    first = nn.Linear(8, 64)
    nn.init.constant_(first.bias, -30.0)
    return nn.Sequential(first, nn.ReLU(), nn.Linear(64, 3))


def train(monitored=lambda: None, steps=12, **options):
    """Train a network whose first activation is dead; look at something after each step."""
    torch.manual_seed(0)
    model = network()
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
    inputs = torch.randn(512, 8)
    options = {"live": False, "recording": False, "every": 1, **options}
    with trainlint.watch(model, optimizer, **options) as monitor:
        for _ in range(steps):
            optimizer.zero_grad()
            nn.functional.cross_entropy(model(inputs), inputs[:, :3].argmax(1)).backward()
            optimizer.step()
            monitored()
    return monitor


@pytest.fixture(scope="module")
def shown():
    """Return a monitor as a notebook shows it."""
    return train()._repr_html_()


def test_a_monitor_is_a_table_of_layers_worst_first_with_diagnoses_and_remedies(shown):
    head, first, *_ = Read(shown).rows
    assert head == ["layer", "gradient", "update", "activation", "dead", "saturated"]
    assert first[0] == "1 ReLU"
    assert first[4] == "100%"
    assert "The training cannot work like this: " in shown
    assert "TL250 dead-relu</b>" in shown
    assert "test_notebooks.py:" in shown
    assert "What to do:" in shown
    assert "<pre" not in shown
    assert "background" not in shown  # light or dark is for the notebook to say


def test_names_from_a_model_are_escaped_and_many_layers_folded_away(runs):
    from trainlint.runtime.signals import Facts, Layer  # noqa: PLC0415

    layers = tuple(
        Layer(f"{EVIL}{at}", EVIL, at, weight=f"{at}.weight") for at in range(fragment.MOST + 50)
    )
    said = [runs.diagnosis(message=EVIL, remedy=EVIL, path=EVIL)] * 20
    last = {"rms": {one.name: float("nan") for one in layers}, "loss": {"": 1.0}}
    text = fragment.training(Facts(layers), last, said, steps=3, seconds=1.0)
    assert "<script" not in text
    found = Read(text).rows
    assert len(found) == fragment.MOST + 2
    assert f"{fragment.MOST - fragment.FIRST} more layers" in text
    assert "12 more diagnoses" in text
    assert len(text) < 200_000


def test_a_probe_has_its_layers_worst_first_and_a_picture():
    layers = [nn.Linear(16, 16) for _ in range(6)]
    for one in layers:
        nn.init.normal_(one.weight, std=0.02)
    model = nn.Sequential(*(it for one in layers for it in (one, nn.Tanh())), nn.Linear(16, 2))
    report = trainlint.probe(model, torch.randn(32, 16))
    text = report._repr_html_()
    rows = Read(text).rows
    assert rows[0] == ["layer", "ratio / theory", "gain / ideal", "forward", "gradient", "units"]
    assert [rows[1][0], rows[2][0]] == ["0 Linear 16→16", "2 Linear 16→16"]
    assert rows[8] == ["", "before", "after"]
    assert rows[-1][::2] == ["diagnoses", "none"]
    assert text.count("<polyline") == 2
    assert report.diagnoses
    assert report.diagnoses[0].rule in text
    assert report.effect is not None
    told = replace(report.effect, after=report.effect.before)
    assert "it mends none of them by itself" in replace(report, effect=told)._repr_html_()


def test_searches_have_a_table_a_curve_and_what_they_suggest():
    nan = float("nan")
    rates = LRReport(
        "sweep", (1e-3, 1e-2, 1e-1, 1.0), (2.0, 1.5, 1.0, nan), 0.03, 0.02, 1.0, 4, (EVIL,)
    )
    text = rates._repr_html_()
    assert "suggested learning rate: 0.03" in text
    assert Read(text).rows[-1] == ["1", "diverges"]
    assert text.count("<polyline") == text.count("<line") == 1
    assert "<script" not in text
    none = LRReport("divide", (1.0,), (nan,), None)
    assert "no learning rate was good" in none._repr_html_()
    sizes = BatchSizeReport((32, 64, 128), (0.1, 0.1, None), 64, 128, 32)
    text = sizes._repr_html_()
    assert "suggested batch size: 32" in text
    assert Read(text).rows[1:] == [
        ["32", "100 ms", "320"],
        ["64", "100 ms", "640"],
        ["128", "does not fit", ""],
    ]


# --- live


class Shell:
    """IPython as a notebook has it: what is displayed and updated is kept."""

    def __init__(self, monkeypatch, *, kernel=True):
        self.execution_count = 1
        self.shown = []
        if kernel:
            self.kernel = object()
        main, display = ModuleType("IPython"), ModuleType("IPython.display")
        vars(main)["get_ipython"] = lambda: self
        vars(display)["display"] = self.display
        monkeypatch.setitem(sys.modules, "IPython", main)
        monkeypatch.setitem(sys.modules, "IPython.display", display)

    def display(self, one, *, display_id):
        assert display_id is True
        self.shown.append([one._repr_html_()])
        return SimpleNamespace(update=lambda one: self.shown[-1].append(one._repr_html_()))


def test_a_notebook_has_one_table_that_is_updated_in_place(monkeypatch, capsys):
    shell = Shell(monkeypatch)
    monkeypatch.setattr(notebook, "PAUSE", 0.0)
    monkeypatch.setattr(notebook, "_SHARE", 0)
    train(live=True)
    ((first, *_, last),) = shell.shown
    assert len(shell.shown[0]) >= 13
    assert "in 1 step" in first
    assert "in 12 steps" in last
    assert "TL250" in last
    assert "TL250" not in first
    assert capsys.readouterr() == ("", "")


def test_updates_are_throttled_but_not_those_that_tell_of_a_diagnosis_or_the_end(monkeypatch):
    shell = Shell(monkeypatch)
    monkeypatch.setattr(notebook, "PAUSE", 1000.0)
    monitor = train(live=True)
    steps = {one.moment.step for one in monitor.diagnoses}
    assert len(shell.shown[0]) <= 2 + len(steps)
    assert "TL250" in shell.shown[0][-1]


def test_a_cell_that_runs_later_has_a_table_of_its_own(monkeypatch):
    shell = Shell(monkeypatch)
    monkeypatch.setattr(notebook, "PAUSE", 0.0)
    monkeypatch.setattr(notebook, "_SHARE", 0)
    steps = iter(range(1, 100))

    def next_cell():
        if next(steps) == 6:
            shell.execution_count = 2

    train(next_cell, live=True)
    first, second = shell.shown
    assert "in 6 steps" in first[-1]
    assert "in 12 steps" in second[-1]


@pytest.mark.parametrize("kind", ["terminal", "silent", "broken"])
def test_where_there_is_no_notebook_diagnoses_are_printed(monkeypatch, capsys, kind):
    shell = Shell(monkeypatch, kernel=kind != "terminal")
    if kind == "broken":
        monkeypatch.setattr(sys.modules["IPython.display"], "display", None)
    monkeypatch.setattr("trainlint.runtime.announcing._is_logging", lambda: False)
    train(live=kind != "silent")
    assert shell.shown == []
    told = capsys.readouterr().err
    assert ("TL250 dead-relu" in told) == (kind != "silent")
    if kind == "broken":
        assert told.count("trainlint watches no view any more (TypeError: ") == 1
