"""A baseline counts what is known, by file, rule and code, and says what no longer holds."""

from __future__ import annotations

import json
import os
import sys
from types import ModuleType

import pytest

from trainlint.core.baseline import Baseline, BaselineError, Entry
from trainlint.core.catalogue import Catalogue
from trainlint.core.config import Config, Selection, resolve
from trainlint.core.diagnosis import Diagnosis, Severity, Span
from trainlint.core.report import Failure, FileReport
from trainlint.core.rule import Rule

LINES = {1: "    a.step()", 2: "b.step(x,   y)", 3: "    a.step()  # again", 4: "call(", 5: "  x)"}
SPANS = {
    1: Span(1, 5, 1, 13),
    2: Span(2, 1, 2, 15),
    3: Span(3, 5, 3, 13),
    4: Span(4, 1, 5, 5),
}


@pytest.fixture(scope="module")
def some():
    """Return a catalogue of two rules."""
    rules = {}
    for name, code in (("one", "AB301"), ("two", "AB302")):
        module = f"rules_of_test_baseline.loss.{name}"
        sys.modules[module] = ModuleType(module)
        rules[name] = Rule(module, code, Severity.ERROR)
    return Catalogue(rules)


@pytest.fixture
def settings(some):
    """Return the settings in which both are on."""
    return resolve(some, Config())


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """Return the current folder, with the files that reports are about."""
    monkeypatch.chdir(tmp_path)
    for name in ("a.py", "b.py"):
        (tmp_path / name).touch()
    return tmp_path


def report(path="a.py", one=(), two=()):
    """Return the report of a file with diagnoses of two rules on lines."""
    diagnoses = [
        Diagnosis(name, code, Severity.ERROR, path, SPANS[line], "Is wrong.", "")
        for name, code, lines in (("one", "AB301", one), ("two", "AB302", two))
        for line in lines
    ]
    diagnoses.sort(key=lambda one: one.position)
    return FileReport(path, diagnoses, lines=dict(LINES))


def written(path, reports, settings):
    """Return the baseline of reports as it is read back."""
    Baseline(path).anew(reports, settings).write()
    return Baseline.read(path)


def test_what_is_known_is_hidden_wherever_it_now_stands(settings):
    baseline = written("base.json", [report(one=(1, 2, 4), two=(1,))], settings)
    assert baseline.counts == {
        Entry("a.py", "one", "a.step()"): 1,
        Entry("a.py", "one", "b.step(x, y)"): 1,
        Entry("a.py", "one", "call("): 1,
        Entry("a.py", "two", "a.step()"): 1,
    }
    (left,) = baseline.hide([report(one=(2, 3, 4), two=(3,))])
    assert left.diagnoses == []


def test_of_more_of_a_kind_the_last_is_new(settings):
    baseline = written("base.json", [report(one=(1,))], settings)
    (left,) = baseline.hide([report(one=(1, 3))])
    assert [one.span.line for one in left.diagnoses] == [3]
    (left,) = baseline.hide([report(two=(1,))])
    assert [one.rule for one in left.diagnoses] == ["two"]
    (left,) = baseline.hide([report("b.py", one=(1,))])
    assert [one.path for one in left.diagnoses] == ["b.py"]


def test_the_file_is_the_same_for_the_same_diagnoses(folder, settings):
    reports = [report("b.py", one=(3, 1)), report("a.py", two=(2,), one=(1,))]
    written("one.json", reports, settings)
    written("two.json", [reports[1], reports[0]], settings)
    text = (folder / "one.json").read_text()
    assert (folder / "two.json").read_text() == text
    assert text.endswith("}\n")
    assert json.loads(text) == {
        "version": 1,
        "diagnoses": {
            "a.py": {"one": {"a.step()": 1}, "two": {"b.step(x, y)": 1}},
            "b.py": {"one": {"a.step()": 2}},
        },
    }


def test_paths_are_relative_to_the_baseline(folder, settings, monkeypatch):
    (folder / "deep").mkdir()
    written("deep/base.json", [report(one=(1,))], settings)
    document = json.loads((folder / "deep" / "base.json").read_text())
    assert list(document["diagnoses"]) == ["../a.py"]
    monkeypatch.chdir(folder / "deep")
    (left,) = Baseline.read("base.json").hide([report(os.path.join(os.pardir, "a.py"), one=(1,))])
    assert left.diagnoses == []


def test_a_path_that_is_no_text_survives(folder, settings):
    path = os.fsdecode(b"\xff\xe9.py")
    (folder / path).touch()
    baseline = written("base.json", [report(path, one=(1,))], settings)
    assert baseline.counts == {Entry(path, "one", "a.step()"): 1}
    assert (folder / "base.json").read_bytes().isascii()


def test_what_is_no_longer_there_is_stale(settings):
    baseline = written("base.json", [report(one=(1, 3), two=(2,))], settings)
    assert baseline.stale([report(one=(1, 3), two=(2,))], settings) == {}
    stale = baseline.stale([report(one=(3,))], settings)
    assert stale == {Entry("a.py", "one", "a.step()"): 1, Entry("a.py", "two", "b.step(x, y)"): 1}
    updated = baseline.updated(stale)
    assert updated.counts == {Entry("a.py", "one", "a.step()"): 1}
    assert updated.stale([report(one=(3,))], settings) == {}


def test_what_a_run_does_not_look_at_is_not_stale(some, settings):
    baseline = written("base.json", [report(one=(1,), two=(2,))], settings)
    assert baseline.stale([], settings) == {}
    assert baseline.stale([report("b.py")], settings) == {}
    failed = FileReport("a.py", failures=[Failure("a.py", 1, "syntax error")])
    assert baseline.stale([failed], settings) == {}
    only_two = resolve(some, Config(selection=Selection("a test", ("two",))))
    assert baseline.stale([report()], only_two) == {Entry("a.py", "two", "b.step(x, y)"): 1}


def test_what_is_of_a_file_or_of_a_rule_that_is_gone_is_stale(folder, settings):
    baseline = written("base.json", [report(one=(1,))], settings)
    (folder / "a.py").unlink()
    assert baseline.stale([], settings) == baseline.counts
    baseline.counts.clear()
    baseline.counts[Entry("b.py", "three", "x")] = 2
    assert baseline.stale([], settings).total() == 2


def test_writing_anew_keeps_what_the_run_does_not_look_at(some, settings):
    baseline = written(
        "base.json", [report(one=(1,), two=(2,)), report("b.py", one=(1,))], settings
    )
    only_two = resolve(some, Config(selection=Selection("a test", ("two",))))
    again = baseline.anew([report(two=(1, 3))], only_two)
    assert again.counts == {
        Entry("a.py", "one", "a.step()"): 1,
        Entry("a.py", "two", "a.step()"): 2,
        Entry("b.py", "one", "a.step()"): 1,
    }


def test_a_baseline_that_does_not_change_is_not_written(folder, settings):
    baseline = written("base.json", [report(one=(1,))], settings)
    path = folder / "base.json"
    os.utime(path, (1, 1))
    baseline.anew([report(one=(3,))], settings).write()
    assert path.stat().st_mtime == 1


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is no baseline: it is no valid JSON: Expecting value: line 1 column 1 (char 0)"),
        ("[" * 100_000, "is no baseline: it is no valid JSON: "),
        ("[]", "is no baseline: it has no `version`"),
        ("{}", "is no baseline: it has no `version`"),
        ('{"version": 2}', "is a baseline of version 2; this trainlint knows version 1"),
        ('{"version": true}', "is a baseline of version true; this trainlint knows version 1"),
        ('{"version": 1}', "is no baseline: `diagnoses` is no object"),
        ('{"version": 1, "diagnoses": []}', "is no baseline: `diagnoses` is no object"),
        ('{"version": 1, "diagnoses": {"a.py": 1}}', "is no baseline: `a.py` is no object"),
        ('{"version": 1, "diagnoses": {"a.py": {"one": 1}}}', "is no baseline: `one` is no object"),
        (
            '{"version": 1, "diagnoses": {"a.py": {"one": {"x": "1"}}}}',
            'is no baseline: the number of `x` of one in a.py is "1"',
        ),
        (
            '{"version": 1, "diagnoses": {"a.py": {"one": {"x": 0}}}}',
            "is no baseline: the number of `x` of one in a.py is 0",
        ),
        (
            '{"version": 1, "diagnoses": {"a.py": {"one": {"x": true}}}}',
            "is no baseline: the number of `x` of one in a.py is true",
        ),
    ],
)
def test_a_broken_baseline_is_one_line(folder, text, message):
    (folder / "base.json").write_text(text)
    with pytest.raises(BaselineError) as caught:
        Baseline.read("base.json")
    assert str(caught.value).startswith(f"base.json: {message}")
    assert "\n" not in str(caught.value)


def test_a_baseline_in_another_encoding_or_nowhere_is_one_line(folder):
    (folder / "base.json").write_bytes(b'{"version": 1, "diagnoses": {"\xff": {}}}')
    with pytest.raises(BaselineError, match=r"^base\.json: is no baseline: it is not UTF-8$"):
        Baseline.read("base.json")
    message = r"^gone\.json: cannot be read: No such file or directory; --write-baseline makes it$"
    with pytest.raises(BaselineError, match=message):
        Baseline.read("gone.json")
