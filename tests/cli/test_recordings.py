"""Recordings are listed, compared and written for other programs."""

from __future__ import annotations

import csv
import io
import json
import math
import re
import sqlite3
import subprocess
import sys
from array import array
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from trainlint.core.diagnosis import Severity
from trainlint.output.overview import sparklines, thinned
from trainlint.runtime.recorder import Recorder, Recording
from trainlint.runtime.recordings import exporting


@pytest.fixture
def pair(folder, runs):
    """Return two recordings: in the second the loss leaps and another rule speaks."""
    first = [runs.measured(number, loss=1 / number) for number in range(1, 101)]
    second = [
        runs.measured(number, loss=500.0 if number == 50 else 2 / number) for number in range(1, 81)
    ]
    runs.recorded(folder / "a.tlr", first, [runs.diagnosis()])
    other = runs.diagnosis(50, rule="loss-spike", code="TL906", severity=Severity.WARNING)
    runs.recorded(folder / "b.tlr", second, [other, runs.diagnosis()], device="cuda")
    return "a.tlr", "b.tlr"


# --- runs


def test_runs_lists_recordings_below_a_folder_with_verdict_steps_time_and_size(
    folder, runs, trainlint
):
    runs.recorded(folder / "old.tlr", [runs.measured(1)])
    runs.recorded(
        folder / "deep" / "er" / "new.tlr", map(runs.measured, range(1, 1201)), [runs.diagnosis()]
    )
    (folder / ".hidden").mkdir()
    (folder / ".hidden" / "c.tlr").write_text("")
    (folder / "other.db").write_text("")
    done = trainlint("runs")
    assert done.code == 0
    head, first, second = done.out.splitlines()
    assert head.split() == [
        "recording",
        "state",
        "steps",
        "time",
        "size",
        "loss",
        "model",
        "verdict",
    ]
    assert first.split()[:5] == ["deep/er/new.tlr", "finished", "1,200", "12.0", "s"]
    assert first.split(None, 8)[-1] == "Net    1 error: first dead-relu in act"
    assert second.startswith("old.tlr          finished      1")
    assert second.endswith("Net    healthy")


def test_runs_looks_where_watch_writes(folder, runs, trainlint):
    runs.recorded(folder / "runs" / "trainlint" / "x.tlr", [runs.measured(1)])
    runs.recorded(folder / "elsewhere.tlr", [runs.measured(1)])
    found = json.loads(trainlint("runs", "--output-format", "json").out)["runs"]
    assert [(one["path"], one["verdict"], one["steps"]) for one in found] == [
        ("runs/trainlint/x.tlr", "healthy", 1)
    ]
    assert found[0]["facts"]["model"] == "Net"


def test_a_running_training_is_told_from_one_that_has_ended(folder, runs, trainlint):
    with Recorder.create(folder / "live.tlr", runs.RUN) as recorder:
        recorder.write(runs.measured(1))
        assert "running" in trainlint("runs").out
    assert "finished" in trainlint("runs").out


def test_runs_of_an_empty_and_a_missing_folder(folder, trainlint):
    del folder
    assert trainlint("runs") == (0, "no recordings\n", "")
    assert trainlint("runs", "nowhere") == (2, "", "error: nowhere: there is no such folder\n")


KILLED = """\
import os, signal
from pathlib import Path
from runpy import run_path
from trainlint.runtime.recorder import Recorder, Recording
runs = run_path({runs!r})
recorder = Recorder.create("killed.tlr", runs["RUN"])
for number in range(1, 41):
    recorder.write(runs["measured"](number))
recorder.say(runs["diagnosis"]())
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_runs_lists_what_was_killed_and_says_of_other_files_why_they_cannot_be_read(
    folder, runs, trainlint
):
    code = KILLED.format(runs=str(Path(__file__).parents[1] / "runs.py"))
    subprocess.run([sys.executable, "-c", code], cwd=folder, check=False)
    whole = runs.recorded(folder / "whole.tlr", [runs.measured(1)]).read_bytes()
    (folder / "cut.tlr").write_bytes(whole[:9000])
    (folder / "empty.tlr").write_bytes(b"")
    (folder / "text.tlr").write_text("loss\n" * 1000)
    with closing(sqlite3.connect(folder / "foreign.tlr")) as foreign:
        foreign.execute("CREATE TABLE t (x)")
    (folder / "folder.tlr").mkdir()
    runs.recorded(folder / "folder.tlr" / "newer.tlr", [runs.measured(1)])
    with closing(sqlite3.connect(folder / "folder.tlr" / "newer.tlr")) as newer:
        newer.execute("PRAGMA user_version = 9")
    Recorder.create(folder / "begun.tlr", runs.RUN).close()
    done = trainlint("runs")
    assert (done.code, done.err) == (2, "")
    rows = {line.split()[0]: line.split(None, 1)[1] for line in done.out.splitlines()}
    assert rows["killed.tlr"].startswith("broken off     40  0.4 s")
    assert rows["killed.tlr"].endswith("Net    1 error: first dead-relu in act")
    assert rows["whole.tlr"].endswith("healthy")
    assert rows["begun.tlr"].endswith("no steps")
    told = {
        "cut.tlr": "cannot be read: it is damaged or cut off",
        "empty.tlr": "is no recording of trainlint",
        "text.tlr": "cannot be read: it is no recording",
        "foreign.tlr": "is no recording of trainlint",
        "folder.tlr/newer.tlr": "its schema has version 9, and this trainlint reads 1: a newer one wrote it",
    }
    for name, reason in told.items():
        assert rows[name].startswith("unreadable")
        assert rows[name].endswith(reason)
    assert len(rows) == 4 + len(told)
    found = json.loads(trainlint("runs", "--output-format", "json").out)["runs"]
    assert {one["path"]: one["trouble"] for one in found if one["trouble"]} == told


# --- compare


def test_compare_shows_what_differs_and_which_diagnoses_are_gone_and_new(pair, trainlint):
    done = trainlint("compare", *pair)
    assert done.code == 0
    lines = done.out.splitlines()
    assert lines[0] == "A  a.tlr: 1 error: first dead-relu in act"
    assert lines[1] == "B  b.tlr: 1 error, 1 warning: first loss-spike in act"
    told = {line[:13].strip(): line[13:].split() for line in lines}
    assert told["steps"] == ["100", "80"]
    assert told["device"] == ["cpu", "cuda"]
    assert told["last loss"] == ["0.01", "0.025"]
    assert "model" not in told
    assert lines[-2:] == [
        "B against A: 0 gone, 1 new, 1 in both",
        "+ warning TL906 loss-spike act, model.py:15, step 50",
    ]
    back = trainlint("compare", pair[1], pair[0]).out.splitlines()
    assert back[-1] == "- warning TL906 loss-spike act, model.py:15, step 50"


def test_compare_as_json_has_curves_without_losing_a_leap(pair, trainlint):
    document = json.loads(trainlint("compare", *pair, "--output-format", "json").out)
    assert document["differences"] == {"device": ["cpu", "cuda"]}
    first, second = document["runs"]
    assert [50, 500.0] in second["loss"]
    assert first["best_loss"] == 0.01
    assert [one["rule"] for one in second["new"]] == ["loss-spike"]
    assert (first["new"], first["gone"], second["gone"]) == ([], [], [])


def test_compare_shows_the_layers_that_look_worst_in_any_run(folder, runs, trainlint):
    runs.recorded(folder / "a.tlr", [runs.measured(number) for number in range(1, 31)])
    dying = [runs.measured(number, dead=number / 40) for number in range(1, 31)]
    runs.recorded(folder / "b.tlr", dying, [runs.diagnosis()])
    lines = trainlint("compare", "a.tlr", "b.tlr").out.splitlines()
    at = lines.index("dead_units of act, over the first 30 steps")
    assert re.fullmatch("A  ▁+  0", lines[at + 1])
    assert lines[at + 2].startswith("B  ▁▁▁▂")
    assert lines[at + 2].endswith("█  0.75")
    found = json.loads(trainlint("compare", "a.tlr", "b.tlr", "--output-format", "json").out)
    layers = found["runs"][1]["layers"]
    assert next(iter(layers)) == "act"
    assert layers["act"]["dead_units"] == [[number, number / 40] for number in range(1, 31)]
    assert layers["fc1"]["gradient_rms"][1] == [2, 1e-3 / 2]
    assert layers["fc2"]["rms"][0] == [1, "NaN"]


@pytest.mark.parametrize(("first", "then"), [(1, 4), (4, 4)])
def test_the_curves_of_a_resumed_run_go_on_where_it_was_broken_off(folder, runs, first, then):
    runs.recorded(folder / "a.tlr", map(runs.measured, range(1, 4)))
    with Recorder.create(folder / "a.tlr", {}, append=True) as recorder:
        for number in range(first, first + 3):
            recorder.write(runs.measured(number, dead=0.5))
    with Recording(folder / "a.tlr") as recording:
        loss = recording.curve("loss")
        dead = recording.curves("dead_units", ["act", "missing"])
    steps = [1, 2, 3, then, then + 1, then + 2]
    assert [step for step, _ in loss] == steps
    assert dead == {"act": list(zip(steps, [0.0] * 3 + [0.5] * 3, strict=True))}


@pytest.fixture
def compared(folder, pair, trainlint):
    """Return the page that compares two recordings, of which one has an evil name."""
    pytest.importorskip("jinja2")
    pytest.importorskip("plotly")
    evil = "<script>alert(1)<!--.tlr"
    (folder / pair[1]).rename(folder / evil)
    done = trainlint("compare", pair[0], evil, "--html", "out/page.html")
    assert (done.code, done.err) == (0, "")
    assert done.out.startswith("A  a.tlr: ")
    return (folder / "out" / "page.html").read_text(encoding="utf-8")


def test_compare_writes_one_html_file_with_settings_diagnoses_and_curves(compared):
    cells = [
        re.findall(r"<t[hd][^>]*>([^<]*)</t[hd]>", row)
        for row in re.findall(r"<tr>.*?</tr>", compared)
    ]
    assert ["device", "cpu", "cuda"] in cells
    assert ["last loss", "0.01", "0.025"] in cells
    assert "1 new</summary>" in compared
    assert "warning</span> TL906 loss-spike act, model.py:15, step 50" in compared
    assert "1 in both</summary>" in compared
    assert "src=" not in compared.split("<script>", 1)[0]
    embedded = re.search(r'<script type="application/json" id="data">(.*?)</script>', compared)
    assert embedded is not None
    charts = json.loads(embedded[1])
    assert [one["title"] for one in charts][:3] == ["loss", "Activation RMS", "Dead units"]
    first, second = charts[0]["curves"]
    assert (first["name"], first["x"], first["y"][0]) == ("A", list(range(1, 101)), 1.0)
    assert second["y"][49] == 500.0  # a leap of one step is there
    numbers = {int(one) for one in re.findall(r'data-chart="(\d+)"', compared)}
    assert numbers == set(range(len(charts)))


def test_names_on_the_page_of_a_comparison_are_escaped(compared):
    assert "<script>alert" not in compared
    assert "&lt;script&gt;alert(1)&lt;!--.tlr" in compared


def test_a_comparison_without_the_extra_or_over_a_recording_is_one_line(
    folder, pair, trainlint, monkeypatch
):
    before = (folder / pair[0]).read_bytes()
    done = trainlint("compare", *pair, "--html", pair[0])
    assert (done.code, done.out, done.err.count("\n")) == (2, "", 1)
    assert (folder / pair[0]).read_bytes() == before
    monkeypatch.setitem(sys.modules, "jinja2", None)
    done = trainlint("compare", *pair, "--html", "a.html")
    assert done.code == 2
    assert done.err == (
        "error: --html needs plotly and Jinja2; to install them: pip install 'trainlint[report]'\n"
    )


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ((), "compare expects two to 26 recordings, not 0"),
        (("a.tlr",), "compare expects two to 26 recordings, not 1"),
        (("a.tlr", "missing.tlr"), "missing.tlr: there is no such file"),
        (("a.tlr", "text.tlr"), "text.tlr: cannot be read: it is no recording"),
    ],
)
def test_compare_of_what_it_cannot_read_is_one_line(folder, runs, trainlint, arguments, says):
    runs.recorded(folder / "a.tlr", [runs.measured(1)])
    (folder / "text.tlr").write_text("loss\n" * 500)
    assert trainlint("compare", *arguments) == (2, "", f"error: {says}\n")


def curve(*values):
    return list(enumerate(values, 1))


def test_curves_have_one_scale_and_show_a_leap_and_what_is_not_finite():
    first, second = sparklines([curve(*[1.0] * 7, 8.0), curve(8.0, math.nan, 1.0)], width=8)
    assert first == "▁▁▁▁▁▁▁█  8"
    assert second == "█✗▁  1"
    assert list(sparklines([curve()])) == ["  -"]
    assert list(sparklines([curve(2.0, 2.0)], width=2)) == ["▁▁  2"]
    assert next(sparklines([[(1, 2.0), (6, 1.0)], [(8, 1.0)]], width=8)) == "█████▁  1"


def test_a_thinned_curve_keeps_both_extremes_of_every_stretch():
    losses = [(step, 1.0) for step in range(1, 10_001)]
    losses[5000] = (5001, 99.0)
    losses[7000] = (7001, -1.0)
    losses[8000] = (8001, math.nan)
    found = thinned(losses)
    assert len(found) <= 200
    assert {(5001, 99.0), (7001, -1.0)} <= set(found)
    assert 8001 in [step for step, _ in found]
    assert [step for step, _ in found] == sorted(step for step, _ in found)


# --- export


@pytest.fixture
def recording(folder, runs):
    """Return a recording of two steps, one of which is measured, and a diagnosis."""
    runs.recorded(
        folder / "run.tlr", [runs.measured(1), runs.light(2, math.inf)], [runs.diagnosis()]
    )
    return "run.tlr"


NUMBERS = 12


def test_csv_has_a_number_in_each_row(folder, recording, trainlint):
    assert trainlint("export", recording, "--to", "csv") == (0, "run.csv\n", "")
    rows = list(csv.DictReader(io.StringIO((folder / "run.csv").read_text())))
    assert list(rows[0]) == list(exporting.COLUMNS)
    assert len(rows) == NUMBERS
    by_name = {(one["step"], one["signal"], one["subject"]): float(one["value"]) for one in rows}
    assert by_name["1", "loss", ""] == 1.0
    assert by_name["2", "loss", ""] == math.inf
    assert by_name["1", "gradient_rms", "fc1.weight"] == 1e-3
    assert math.isnan(by_name["1", "rms", "fc2"])


def test_csv_of_diagnoses_and_on_the_screen(recording, trainlint):
    done = trainlint("export", recording, "--to", "csv", "--diagnoses", "-o", "-")
    (row,) = csv.DictReader(io.StringIO(done.out))
    assert (row["step"], row["code"], row["path"], row["line"]) == ("7", "TL250", "model.py", "15")


def test_jsonl_has_steps_and_diagnoses_that_any_reader_takes(recording, trainlint):
    done = trainlint("export", recording, "--to", "jsonl", "-o", "-")
    first, second, said = (
        json.loads(line, parse_constant=pytest.fail) for line in done.out.splitlines()
    )
    assert first["signals"]["rms"] == {"fc1": 1.0, "act": 0.5, "fc2": "NaN"}
    assert first["measured"] is True
    assert second["signals"]["loss"] == {"": "Infinity"}
    assert (said["type"], said["evidence"][0]["bound"]) == ("diagnosis", 0.5)


def test_parquet_is_read_back_by_pyarrow(folder, recording, trainlint):
    parquet = pytest.importorskip("pyarrow.parquet")
    assert trainlint("export", recording, "--to", "parquet", "-o", "out/a.parquet").code == 0
    table = parquet.read_table(folder / "out" / "a.parquet").to_pydict()
    assert list(table) == list(exporting.COLUMNS)
    rows = list(zip(table["step"], table["signal"], table["subject"], table["value"], strict=True))
    assert len(rows) == NUMBERS
    assert (1, "gradient_rms", "fc1.weight", 1e-3) in rows
    assert trainlint("export", recording, "--to", "parquet", "--diagnoses").code == 0
    assert parquet.read_table(folder / "run.parquet").to_pydict()["code"] == ["TL250"]


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_tensorboard_reads_scalars_and_texts_back(folder, recording, trainlint):
    pytest.importorskip("torch")
    accumulators = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    assert trainlint("export", recording, "--to", "tensorboard") == (0, "run-tensorboard\n", "")
    events = accumulators.EventAccumulator(str(folder / "run-tensorboard"))
    events.Reload()
    tags = events.Tags()
    assert {"loss", "rms/act", "gradient_rms/fc1.weight"} <= set(tags["scalars"])
    assert [one.step for one in events.Scalars("loss")] == [1, 2]
    assert events.Scalars("rms/act")[0].value == 0.5
    assert any("TL250" in tag for tag in tags["tensors"])


ODD = (math.nan, math.inf, -math.inf, 5e-324, 1.7976931348623157e308, 0.1, -0.0, 1 / 3)


@pytest.fixture
def odd(folder, runs):
    """Return a recording of two sessions with odd numbers and names, and all its numbers."""
    names = ["plain", "a,b", 'say "hello"', "line\nbreak", "=1+1", "naïve ☃", "<b>", "tab\there"]
    steps = [
        replace(
            runs.measured(number),
            signals={
                "loss": {"": ODD[number]},
                "rms": dict(zip(names, ODD[number:] + ODD[:number], strict=True)),
            },
        )
        for number in range(1, 6)
    ]
    runs.recorded(folder / "odd.tlr", steps[:3])
    with Recorder.create(folder / "odd.tlr", {}, append=True) as recorder:
        for step in steps[3:]:
            recorder.write(step)
    with Recording(folder / "odd.tlr") as recording:
        rows = list(exporting.numbers(recording))
    assert len(rows) == 5 * (1 + len(names))
    return {
        (session, step, signal, subject): (time, value)
        for session, step, time, signal, subject, value in rows
    }


def read_csv(path):
    for one in csv.DictReader(io.StringIO(path.read_text(encoding="utf-8"), newline="")):
        place = (int(one["session"]), int(one["step"]), one["signal"], one["subject"])
        yield place, (float(one["time"]), float(one["value"]))


def read_jsonl(path):
    for line in path.read_text(encoding="utf-8").splitlines():
        one = json.loads(line, parse_constant=pytest.fail)
        for signal, values in one["signals"].items():
            for subject, value in values.items():
                place = (one["session"], one["step"], signal, subject)
                yield place, (one["time"], float(value))


def read_parquet(path):
    parquet = pytest.importorskip("pyarrow.parquet")
    for one in parquet.read_table(path).to_pylist():
        place = (one["session"], one["step"], one["signal"], one["subject"])
        yield place, (one["time"], one["value"])


def bits(pairs):
    """Return numbers so that NaN is equal to itself and 0 not to -0."""
    return {place: tuple(map(repr, numbers)) for place, numbers in pairs}


@pytest.mark.parametrize("form", ["csv", "jsonl", "parquet"])
def test_what_is_exported_is_read_back_to_the_bit(folder, odd, trainlint, form):
    read = {"csv": read_csv, "jsonl": read_jsonl, "parquet": read_parquet}[form]
    if form == "parquet":
        pytest.importorskip("pyarrow")
    assert trainlint("export", "odd.tlr", "--to", form) == (0, f"odd.{form}\n", "")
    assert bits(read(folder / f"odd.{form}")) == bits(odd.items())


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_tensorboard_keeps_numbers_as_float32_with_nan_and_infinity(folder, odd, trainlint):
    pytest.importorskip("torch")
    accumulators = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    assert trainlint("export", "odd.tlr", "--to", "tensorboard", "-o", "board").code == 0
    events = accumulators.EventAccumulator(str(folder / "board"))
    events.Reload()
    wanted: dict[str, dict[int, str]] = {}
    for (_, step, signal, subject), (_, value) in odd.items():
        tag = f"{signal}/{subject}" if subject else signal
        single = array("f", [math.inf if value > 1e300 else value])[0]
        wanted.setdefault(tag, {})[step] = repr(single)
    found = {
        tag: {one.step: repr(one.value) for one in events.Scalars(tag)}
        for tag in events.Tags()["scalars"]
    }
    assert found == wanted


@pytest.mark.parametrize(
    ("form", "module", "extra"),
    [("parquet", "pyarrow", "parquet"), ("tensorboard", "torch.utils.tensorboard", "tensorboard")],
)
def test_a_missing_library_is_said_in_one_line_with_how_to_install_it(
    folder, recording, trainlint, monkeypatch, form, module, extra
):
    monkeypatch.setitem(sys.modules, module, None)
    before = sorted(one.name for one in folder.iterdir())
    done = trainlint("export", recording, "--to", form)
    assert (done.code, done.out, done.err.count("\n")) == (2, "", 1)
    assert f"pip install 'trainlint[{extra}]'" in done.err
    assert sorted(one.name for one in folder.iterdir()) == before


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("missing.tlr", "--to", "csv"), "missing.tlr: there is no such file"),
        (("text.tlr", "--to", "csv"), "text.tlr: cannot be read: it is no recording"),
        (("run.tlr", "--to", "csv", "-o", "run.tlr"), "run.tlr: is read, so"),
        (("run.tlr", "--to", "parquet", "-o", "-"), "parquet cannot be written on the screen"),
        (("run.tlr", "--to", "jsonl", "--diagnoses"), "--diagnoses is for csv and parquet"),
        (("run.tlr", "--to", "csv", "-o", "text.tlr/a.csv"), "text.tlr/a.csv: cannot be written: "),
        (("run.tlr",), "Missing option '--to'"),
        (("run.tlr", "--to", "xml"), "Invalid value for '--to'"),
    ],
)
@pytest.mark.usefixtures("recording")
def test_what_cannot_be_exported_is_one_line_and_exit_2(folder, trainlint, arguments, says):
    (folder / "text.tlr").write_text("loss\n" * 500)
    done = trainlint("export", *arguments)
    assert (done.code, done.out) == (2, "")
    assert done.err.startswith(f"error: {says}")
    assert done.err.count("\n") == 1
