"""A recording holds what was known, whatever happens to the process, the disk and the file."""

from __future__ import annotations

import json
import math
import os
import random
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from itertools import pairwise
from textwrap import dedent
from types import MappingProxyType

import pytest

from trainlint.core.diagnosis import Related, Span
from trainlint.core.errors import UserError
from trainlint.runtime import recorder as recorder_module
from trainlint.runtime.recorder import Recorder, Recording, RecordingError
from trainlint.runtime.recordings.tables import State
from trainlint.runtime.signals import Facts, Layer, Step

ODD = (
    0.0,
    -0.0,
    1.0,
    -1.5,
    0.1,
    1 / 3,
    math.pi * 1e300,
    -1.7976931348623157e308,
    2.2250738585072014e-308,
    5e-324,
    -1.234e-310,
    1e-5,
    123456789.123,
    math.inf,
    -math.inf,
    math.nan,
)


def shown(steps):
    """Return steps as texts that are equal where the steps are: NaN is not equal to itself."""
    return [
        (one.number, one.is_measured, one.time, one.facts, repr(sorted_signals(one)))
        for one in steps
    ]


def sorted_signals(step):
    return {name: dict(step.signals[name]) for name in sorted(step.signals)}


@pytest.fixture
def path(tmp_path):
    return tmp_path / "runs" / "a.tlr"


@pytest.fixture
def sql(path):
    """Return a function that asks the file with nothing but sqlite3."""

    def ask(question, *values):
        connection = sqlite3.connect(path)
        try:
            return connection.execute(question, values).fetchall()
        finally:
            connection.close()

    return ask


def wide(names, values):
    """Return a measured step of one signal."""
    return Step(1, Facts(), {"rms": dict(zip(names, values, strict=True))}, is_measured=True)


def test_steps_facts_and_diagnoses_come_back_as_they_were(path, runs):
    steps = [runs.measured(1), runs.light(2, math.nan), runs.light(3, -math.inf), runs.measured(4)]
    said = [runs.diagnosis(), runs.diagnosis(9, path="", moment=None)]
    with Recording(runs.recorded(path, steps, said)) as found:
        assert shown(found.steps()) == shown(steps)
        assert found.diagnoses() == said
        assert found.facts == runs.FACTS
        assert found.run == runs.RUN
        assert found.state is State.FINISHED
        assert (found.count, found.measured, found.last_number) == (4, 2, 4)
        assert found.seconds == 0.04
        assert not found.is_thinned


def test_a_rare_part_of_a_diagnosis_comes_back_too(path, runs):
    one = runs.diagnosis(
        span=Span(3, 5, 4, 9), label="dead", related=(Related(Span(1, 2, 3, 4), "made", "a.py"),)
    )
    with Recording(runs.recorded(path, [], [one])) as found:
        assert found.diagnoses() == [one]


def test_any_number_comes_back_to_the_last_bit(path, runs):
    names = [f"layer.{number}" for number in range(len(ODD))]
    with Recording(runs.recorded(path, [wide(names, ODD)])) as found:
        (step,) = found.steps()
    assert repr(dict(step.of("rms"))) == repr(dict(zip(names, ODD, strict=True)))


def test_the_view_shows_every_number_to_the_last_bit(path, runs, sql):
    source = random.Random(1)  # noqa: S311
    values = [
        *ODD,
        *(source.uniform(-1, 1) * 10.0 ** source.randint(-307, 308) for _ in range(500)),
    ]
    names = [f"layer.{number}" for number in range(len(values))]
    runs.recorded(path, [wide(names, values)])
    rows = sql("SELECT subject, value FROM signals WHERE signal = 'rms'")
    seen = {name: math.nan if value is None else value for name, value in rows}
    expected = dict(zip(names, values, strict=True))
    assert {k: repr(v + 0.0) for k, v in seen.items()} == {
        k: repr(v + 0.0) for k, v in expected.items()
    }


def test_plain_sql_finds_the_loss_and_the_diagnoses(path, runs, sql):
    runs.recorded(path, [runs.light(1, 3.0), runs.light(2, math.nan)], [runs.diagnosis()])
    question = (
        "SELECT step, value FROM signals WHERE signal = 'loss' AND subject = '' ORDER BY step"
    )
    assert sql(question) == [(1, 3.0), (2, None)]
    assert sql("SELECT step, code, layer FROM diagnoses") == [(7, "TL250", "act")]
    assert sql("SELECT what, value, bound FROM evidence")[0] == ("dead units", 0.6, 0.5)
    assert sql("SELECT value FROM run WHERE key = 'model'") == [("Net",)]
    names = "SELECT json_extract(value, '$.name') FROM facts, json_each(layers)"
    assert sql(names) == [("fc1",), ("act",), ("fc2",)]


def test_it_is_one_sqlite_file_of_a_known_version(path, runs, sql):
    runs.recorded(path, [runs.measured(1)])
    assert sql("PRAGMA application_id") == [(int.from_bytes(b"tlr1", "big"),)]
    assert sql("PRAGMA user_version") == [(1,)]
    assert sql("PRAGMA integrity_check") == [("ok",)]
    assert os.listdir(path.parent) == ["a.tlr"]


def test_it_can_be_read_while_it_is_written(path, runs):
    with Recorder.create(path, runs.RUN) as recorder, Recording(path) as found:
        assert found.state is State.RUNNING
        recorder.write(runs.measured(1))
        assert found.last_number == 1
        position = found.position
        recorder.write(runs.measured(2))
        assert [one.number for one in found.steps(after=position)] == [2]
    with Recording(path) as found:
        assert found.is_finished


def test_a_measured_step_is_there_at_once_and_others_within_a_second(path, runs, monkeypatch):
    clock = [100.0]
    monkeypatch.setattr("time.monotonic", lambda: clock[0])
    with Recorder.create(path, runs.RUN) as recorder, Recording(path) as found:
        recorder.write(runs.light(1))
        assert found.count == 0
        clock[0] += 1.0
        recorder.write(runs.light(2))
        assert found.count == 2
        recorder.write(runs.light(3))
        assert found.count == 2
        recorder.write(runs.measured(4))
        assert found.count == 4
        recorder.write(runs.light(5))
        recorder.say(runs.diagnosis())
        assert found.count == 5
        recorder.write(runs.light(6))
        recorder.flush()
        assert found.count == 6


def test_facts_are_written_once_per_change(path, runs, sql):
    changed = Facts((*runs.FACTS.layers, Layer("fc3", "Linear", 3)), runs.FACTS.parameters)
    steps = [
        runs.light(1),
        runs.light(2),
        runs.light(3, facts=changed),
        runs.light(4, facts=changed),
    ]
    steps.append(replace(steps[-1], number=5, facts=replace(changed)))
    with Recording(runs.recorded(path, steps)) as found:
        assert shown(found.steps()) == shown(steps)
        assert found.facts == changed
    assert sql("SELECT count(*) FROM facts") == [(2,)]


def test_layers_that_change_from_step_to_step_take_no_list_of_their_own_each(path, runs, sql):
    source = random.Random(0)  # noqa: S311
    experts = [f"expert.{number}" for number in range(40)]
    steps = []
    for number in range(1, 200):
        chosen = sorted(source.sample(experts, 8))
        values = {name: math.nan if name == "expert.3" else source.random() for name in chosen}
        steps.append(Step(number, Facts(), {"rms": values}, is_measured=True))
    with Recording(runs.recorded(path, steps)) as found:
        again = list(found.steps())
    for one, other in zip(steps, again, strict=True):
        assert repr(sorted(one.of("rms").items())) == repr(sorted(other.of("rms").items()))
    assert sql("SELECT count(*) FROM series")[0][0] < 50
    number = sum(len(one.of("rms")) for one in steps)
    assert sql("SELECT count(*) FROM signals") == [(number,)]


def test_a_resumed_training_goes_on_in_the_same_recording(path, runs):
    runs.recorded(path, [runs.measured(1), runs.measured(2)], [runs.diagnosis()])
    with Recorder.create(path, {"model": "Net", "epoch": 3}, append=True) as recorder:
        recorder.write(runs.measured(2))
        recorder.write(runs.measured(3))
        recorder.say(runs.diagnosis(3))
        recorder.close({"epoch": 4})
    with Recording(path) as found:
        assert [one.number for one in found.steps()] == [1, 2, 2, 3]
        assert [one.number for one in found.steps(session=2)] == [2, 3]
        assert [one.moment and one.moment.step for one in found.diagnoses(session=2)] == [3]
        assert len(found.diagnoses()) == 2
        assert [one.run for one in found.sessions] == [runs.RUN, {"model": "Net", "epoch": 4}]


def test_what_the_monitor_was_told_is_kept(path):
    settings = {"select": ["dead-relu"], "thresholds": {"dead-relu": {"share": 0.1}}}
    Recorder.create(path, {}, settings=settings).close()
    with Recording(path) as found:
        assert found.settings == settings


def test_an_ended_recording_is_replaced_and_a_file_of_somebody_else_is_not(path, runs):
    runs.recorded(path, [runs.measured(1)])
    runs.recorded(path, [runs.measured(5)])
    with Recording(path) as found:
        assert [one.number for one in found.steps()] == [5]
    path.write_text("my notes")
    with pytest.raises(RecordingError, match="no recording"):
        Recorder.create(path, {})
    assert path.read_text() == "my notes"


def test_a_recording_that_a_training_writes_is_left_to_it(path, runs):
    with Recorder.create(path, {}) as recorder:
        for append in (False, True):
            with pytest.raises(RecordingError, match="written by another training"):
                Recorder.create(path, {}, append=append)
        recorder.write(runs.measured(1))


# --- what can go wrong


def test_a_removed_file_ends_the_recording_with_one_line_and_for_good(path, runs):
    recorder = Recorder.create(path, {})
    recorder.write(runs.measured(1))
    path.unlink()
    with pytest.raises(RecordingError) as caught:
        recorder.write(runs.measured(2))
    assert isinstance(caught.value, UserError)
    assert str(caught.value) == f"{path}: cannot be written: No such file or directory"
    with pytest.raises(RecordingError):
        recorder.say(runs.diagnosis())
    recorder.close()


def test_a_training_may_change_its_folder(tmp_path, runs, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "elsewhere").mkdir()
    with Recorder.create("a.tlr", {}) as recorder:
        monkeypatch.chdir(tmp_path / "elsewhere")
        recorder.write(runs.measured(1))
    with Recording(tmp_path / "a.tlr") as found:
        assert found.count == 1


def test_a_file_put_in_its_place_is_not_touched(path, runs):
    recorder = Recorder.create(path, {})
    path.rename(path.with_name("b.tlr"))
    path.write_text("my notes")
    with pytest.raises(RecordingError, match="replaced while it was written"):
        recorder.write(runs.measured(1))
    assert path.read_text() == "my notes"


def test_a_full_disk_ends_the_recording_and_leaves_it_whole(path, runs):
    recorder = Recorder.create(path, {})
    recorder.write(runs.measured(1))
    assert recorder._connection is not None
    pages = recorder._connection.execute("PRAGMA page_count").fetchone()[0]
    recorder._connection.execute(f"PRAGMA max_page_count = {pages + 2}")

    def fill():
        for number in range(2, 1000):
            recorder.write(runs.measured(number))

    with pytest.raises(RecordingError, match="cannot be written: the disk is full"):
        fill()
    with Recording(path) as found:
        assert found.count > 1
        assert [one.number for one in found.steps()] == list(range(1, found.count + 1))


@pytest.mark.skipif(sys.platform == "win32", reason="a limit of POSIX")
def test_a_file_that_may_not_grow_ends_the_recording(tmp_path):
    script = """
        import resource, signal, sys
        from trainlint.runtime.recorder import Recorder, RecordingError
        from trainlint.runtime.signals import Facts, Step
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, 300_000))
        recorder = Recorder.create(sys.argv[1], {})
        try:
            for number in range(1, 10_000):
                values = dict.fromkeys(map(str, range(500)), number / 3)
                recorder.write(Step(number, Facts(), {"rms": values}, is_measured=True))
        except RecordingError as error:
            print(error)
    """
    done = subprocess.run(
        [sys.executable, "-c", dedent(script), str(tmp_path / "a.tlr")],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.startswith(f"{tmp_path / 'a.tlr'}: cannot be written: ")
    assert done.stdout.count("\n") == 1


def test_a_locked_file_ends_the_recording(path, runs, monkeypatch):
    monkeypatch.setattr(recorder_module, "BUSY", 0.05)
    recorder = Recorder.create(path, {})
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(RecordingError, match="locked by another program"):
        recorder.write(runs.measured(1))
    other.close()


def test_a_folder_that_cannot_be_made_or_written_is_said(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(RecordingError, match=r"cannot be written: (Not a directory|.*exists)"):
        Recorder.create(tmp_path / "file" / "a.tlr", {})
    locked = tmp_path / "locked"
    locked.mkdir(mode=0o500)
    if os.access(locked, os.W_OK):
        pytest.skip("this user may write everywhere")
    with pytest.raises(RecordingError, match="cannot be written"):
        Recorder.create(locked / "a.tlr", {})


def read(path):
    """Read all of a recording."""
    with Recording(path) as found:
        list(found.steps())
        found.diagnoses()


def spoilt(path, kind):
    """Spoil a recording."""
    if kind == "cut off":
        path.write_bytes(path.read_bytes()[:5000])
    elif kind == "overwritten":
        data = bytearray(path.read_bytes())
        data[4096:] = b"\x07" * (len(data) - 4096)
        path.write_bytes(data)
    elif kind == "text":
        path.write_text("step,loss\n1,2.0\n" * 100)
    elif kind == "empty":
        path.write_bytes(b"")
    elif kind == "missing":
        path.unlink()
    elif kind == "folder":
        path.unlink()
        path.mkdir()
    else:
        connection = sqlite3.connect(path)
        pragma = {"newer": "user_version = 7", "other": "application_id = 3"}.get(kind)
        connection.execute(
            f"PRAGMA {pragma}" if pragma else "UPDATE facts SET layers = '[{\"name\"'"
        )
        connection.commit()
        connection.close()


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        ("cut off", "damaged or cut off"),
        ("overwritten", "damaged or cut off"),
        ("text", "no recording"),
        ("empty", "no recording"),
        ("missing", "no such file"),
        ("folder", "a folder"),
        ("newer", "its schema has version 7, and this trainlint reads 1: a newer one wrote it"),
        ("other", "no recording of trainlint"),
        ("facts", "damaged"),
    ],
)
def test_a_file_that_cannot_be_read_is_said_in_one_line(path, runs, kind, reason):
    runs.recorded(path, map(runs.measured, range(1, 300)), [runs.diagnosis()])
    spoilt(path, kind)
    with pytest.raises(RecordingError, match=reason) as caught:
        read(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert "\n" not in str(caught.value)


def test_it_is_read_where_nothing_may_be_written_beside_it(path, runs, monkeypatch):
    recorder = Recorder.create(path, runs.RUN)
    recorder.write(runs.measured(1))
    tried = Recording._tried

    def refused(address):
        if address.startswith(f"file:{path}") and address.endswith("mode=ro"):
            msg = "unable to open database file"
            raise sqlite3.OperationalError(msg)
        return tried(address)

    monkeypatch.setattr(Recording, "_tried", staticmethod(refused))
    with Recording(path) as found:
        assert found.count == 1
    recorder.close()
    with Recording(path) as found:
        assert found.count == 1


# --- processes


@pytest.mark.skipif(not hasattr(os, "fork"), reason="forks")
@pytest.mark.parametrize("ending", ["os._exit(0)", "sys.exit(0)"])
def test_a_forked_child_writes_nothing_and_harms_nothing(path, ending):
    script = f"""
        import os, sys
        from trainlint.runtime.recorder import Recorder
        from trainlint.runtime.signals import Facts, Step
        def step(number):
            return Step(number, Facts(), {{"rms": {{"a": 1.0}}}}, is_measured=True)
        recorder = Recorder.create(sys.argv[1], {{}})
        recorder.write(step(1))
        child = os.fork()
        if child == 0:
            recorder.write(step(100))
            recorder.flush()
            recorder.close({{"child": 1}})
            {ending}
        os.waitpid(child, 0)
        recorder.write(step(2))
        child = os.fork()
        if child == 0:
            import time
            time.sleep(0.3)
            {ending}
        recorder.write(step(3))
        recorder.close()
        os.waitpid(child, 0)
    """
    subprocess.run([sys.executable, "-c", dedent(script), str(path)], check=True)
    with Recording(path) as found:
        assert [one.number for one in found.steps()] == [1, 2, 3]
        assert found.is_finished
        assert found.run == {}
    connection = sqlite3.connect(path)
    assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    connection.close()


CHILD = """
    import os, sys, time
    from trainlint.runtime.recorder import Recorder
    from trainlint.runtime.signals import Facts, Layer, Step
    names = [f"layer.{number}" for number in range(50)]
    facts = Facts(tuple(Layer(name, "Linear", at) for at, name in enumerate(names)))
    recorder = Recorder.create(sys.argv[1], {"model": "Net"}, limit=2**20)
    begun = time.monotonic()
    number = 0
    while True:
        number += 1
        measured = number % 5 == 0
        signals = {"loss": {"": 1 / number}}
        if measured:
            signals |= {name: dict.fromkeys(names, number / 3) for name in ("rms", "mean")}
        now = time.monotonic() - begun
        recorder.write(Step(number, facts, signals, measured, now))
        os.write(1, f"{number} {int(measured)} {now}\\n".encode())
        time.sleep(0.0002)
"""


@pytest.mark.slow
def test_a_killed_training_loses_two_seconds_at_most_and_the_recording_stays_whole(tmp_path):
    source = random.Random(3)  # noqa: S311
    moments = [source.uniform(0.0, 0.4) + (1.5 if one % 10 == 0 else 0) for one in range(20)]

    def killed(number):
        path = tmp_path / f"{number}.tlr"
        child = subprocess.Popen(
            [sys.executable, "-c", dedent(CHILD), str(path)], stdout=subprocess.PIPE, text=True
        )
        told: list[str] = []
        assert child.stdout is not None
        reader = threading.Thread(target=lambda out=child.stdout, to=told: to.extend(out))
        first = child.stdout.readline()
        reader.start()
        time.sleep(moments[number])
        child.kill()
        child.wait()
        reader.join()
        child.stdout.close()
        lines = [line.split() for line in (first, *told) if line.endswith("\n")]
        at_least = max((int(step) for step, measured, _ in lines if measured == "1"), default=0)
        with Recording(path) as found:
            assert found.state is State.BROKEN_OFF
            steps = list(found.steps())
            assert max((one.number for one in steps), default=0) >= at_least
            last = steps[-1].time if steps else 0.0
            assert float(lines[-1][2]) - last <= 2.0
            assert all(len(one.of("rms")) == 50 for one in steps if one.is_measured)
            assert found.facts.layers[49].name == "layer.49" if steps else True
        connection = sqlite3.connect(path)
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        connection.close()

    with ThreadPoolExecutor(4) as pool:  # most of the time they wait
        assert len(list(pool.map(killed, range(20)))) == 20


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="kills")
def test_a_broken_off_recording_is_told_from_a_running_one_and_may_be_continued(path, runs):
    script = """
        import os, signal, sys
        from trainlint.runtime.recorder import Recorder
        from trainlint.runtime.signals import Facts, Step
        recorder = Recorder.create(sys.argv[1], {})
        recorder.write(Step(1, Facts(), {"rms": {"a": 1.0}}, is_measured=True))
        os.kill(os.getpid(), signal.SIGKILL)
    """
    subprocess.run([sys.executable, "-c", dedent(script), str(path)], check=False)
    with Recording(path) as found:
        assert found.state is State.BROKEN_OFF
    with Recorder.create(path, {}, append=True) as recorder:
        recorder.write(runs.measured(2))
    with Recording(path) as found:
        assert [one.number for one in found.steps()] == [1, 2]
        assert found.is_finished


# --- the limit

LIMIT = 2**20


def long_run(path, count, *, limit=LIMIT, layers=100, spikes=(), said=MappingProxyType({})):
    """Record so many measured steps, with a value of one layer that leaps in some of them."""
    names = [f"layer.{number}" for number in range(layers)]
    source = random.Random(0)  # noqa: S311
    biggest = 0
    with Recorder.create(path, {}, limit=limit) as recorder:
        for number in range(1, count + 1):
            values = [1 + 0.1 * source.random() + number / count for _ in names]
            values[7] *= 100 if number in spikes else 1
            signals = {"rms": dict(zip(names, values, strict=True)), "loss": {"": 1 / number}}
            recorder.write(Step(number, Facts(), signals, is_measured=True, time=float(number)))
            if number in said:
                recorder.say(said[number])
            size = sum(
                os.path.getsize(f"{path}{end}")
                for end in ("", "-wal")
                if os.path.exists(f"{path}{end}")
            )
            biggest = max(biggest, size)
    return biggest


@pytest.fixture(autouse=True)
def _unsynchronised(monkeypatch):
    # A small file is synchronised often, which a busy disk makes slow.
    monkeypatch.setattr(recorder_module, "SYNCHRONOUS", "OFF")


def test_it_never_grows_over_its_limit(path):
    assert long_run(path, 4000) <= LIMIT
    with Recording(path) as found:
        assert found.is_thinned
        assert found.measured > 300
        assert found.count > 3 * found.measured, "most losses are still there"


def test_the_first_the_last_and_the_extreme_steps_stay_and_the_rest_is_even(path):
    long_run(path, 4000, spikes=(1234,))
    with Recording(path) as found:
        kept = [one.number for one in found.steps() if one.is_measured]
        spike = next(one for one in found.steps() if one.number == 1234)
    assert kept[:10] == list(range(1, 11))
    assert kept[-50:] == list(range(3951, 4001))
    assert spike.is_measured
    assert spike.of("rms")["layer.7"] > 100
    gaps = [other - one for one, other in pairwise(kept[20:])]
    assert max(gaps) < 100


def test_several_leaps_of_one_layer_stay(path):
    spikes = (500, 1500, 2500)
    long_run(path, 4000, spikes=spikes)
    with Recording(path) as found:
        kept = {one.number for one in found.steps() if one.is_measured}
    assert set(spikes) <= kept


def test_diagnoses_and_the_steps_they_were_made_in_stay(path, runs):
    said = range(100, 2000, 100)
    long_run(path, 3000, said={number: runs.diagnosis(number) for number in said})
    with Recording(path) as found:
        assert [one.moment and one.moment.step for one in found.diagnoses()] == list(said)
        assert set(said) <= {one.number for one in found.steps() if one.is_measured}


def test_steps_without_layers_are_thinned_too_and_a_leap_of_the_loss_stays(path, runs, monkeypatch):
    monkeypatch.setattr(recorder_module, "PATIENCE", 0.0)
    limit = 2**19
    with Recorder.create(path, {}, limit=limit) as recorder:
        recorder._pages = 16
        for number in range(1, 12_001):
            recorder.write(runs.light(number, 99.0 if number == 4321 else 1 + 1 / number))
        assert os.path.getsize(path) <= limit
    with Recording(path) as found:
        losses = {one.number: one.run("loss") for one in found.steps()}
    assert len(losses) < 12_000
    assert losses[4321] == 99.0
    assert {1, 2, 3, 11_999, 12_000} <= losses.keys()


def test_a_step_that_is_larger_than_the_limit_is_kept_without_its_layers(path):
    assert long_run(path, 30, layers=20_000) <= 1.5 * LIMIT
    with Recording(path) as found:
        assert found.count == 30


def test_a_thinned_recording_may_be_continued_within_the_limit(path, runs):
    long_run(path, 1500)
    with Recorder.create(path, {}, limit=LIMIT, append=True) as recorder:
        for number in range(1, 500):
            recorder.write(runs.measured(number))
    assert path.stat().st_size <= LIMIT


def test_nothing_is_pickled_and_torch_is_not_needed(path, runs):
    runs.recorded(path, [runs.measured(1)])
    code = (
        "import sys\nfrom trainlint.runtime.recorder import Recording\n"
        "print(len(list(Recording(sys.argv[1]).steps())), *sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=True
    )
    number, *modules = done.stdout.split()
    assert number == "1"
    assert not {"torch", "numpy", "pickle"} & set(modules)


def test_names_may_be_anything(path, runs, sql):
    names = ["", "a'b\"c", "<script>", "layer\n1", "\ud800", "名"]
    step = wide(names, range(len(names)))
    with Recording(runs.recorded(path, [step])) as found:
        (again,) = found.steps()
    assert dict(again.of("rms")) == dict(step.of("rms"))
    assert json.loads(sql("SELECT names FROM series WHERE signal = 'rms'")[0][0]) == names
