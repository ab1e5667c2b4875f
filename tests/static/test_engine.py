"""Rules are run over files, and neither a bad file nor a bad rule ends the run."""

from __future__ import annotations

import os
import sys
from textwrap import dedent
from types import ModuleType

import pytest

from trainlint.core.catalogue import Catalogue
from trainlint.core.config import Config, Selection, resolve
from trainlint.core.diagnosis import Severity, Span
from trainlint.core.report import Failure
from trainlint.core.rule import Rule
from trainlint.static import engine
from trainlint.static.engine import lint_bytes, lint_file, lint_files
from trainlint.static.model import FileModel

SCRIPT = """\
import torch.nn.functional as F


def f(net, x, y):
    return F.cross_entropy(F.softmax(net(x), dim=1), y)
"""


class Everywhere:
    """A place in a file."""

    def __init__(self, path, line=1):
        self.path = path
        self.span = Span(line, 1, line, 2)


@pytest.fixture
def make_rule(monkeypatch):
    """Return a function that makes a rule of a check."""

    def make(name, code, check, severity=Severity.WARNING):
        module = ModuleType(f"others.lint.{name}", f"The rule {name}.")
        monkeypatch.setitem(sys.modules, module.__name__, module)
        rule = Rule(module.__name__, code, severity)
        rule.check(check)
        return rule

    return make


def settings_of(*rules, select=None):
    """Return the settings in which these rules are on."""
    selection = Selection("a test", select=select)
    return resolve(Catalogue({rule.name: rule for rule in rules}), Config(selection=selection))


def test_a_rule_that_raises_is_one_line_and_the_other_rules_speak(make_rule):
    def speaks(file):
        yield good.at(Everywhere(file.source.path), "is said", remedy="None.")

    def raises_after_a_word(file):
        yield bad.at(Everywhere(file.source.path, 2), "is said before", remedy="None.")
        msg = "no\nluck"
        raise KeyError(msg)

    def raises_at_once(_):
        raise NotImplementedError

    good = make_rule("good", "GG1", speaks)
    bad = make_rule("bad", "BB1", raises_after_a_word)
    worse = make_rule("worse", "WW1", raises_at_once)
    report = lint_bytes("f.py", b"x = 1\ny = 2\n", settings_of(good, bad, worse))
    assert [one.message for one in report.diagnoses] == ["is said", "is said before"]
    tail = "; this is a bug of trainlint, the rest went on"
    assert report.failures == [
        Failure("f.py", None, f"rule bad failed (KeyError: 'no\\nluck'){tail}"),
        Failure("f.py", None, f"rule worse failed (NotImplementedError){tail}"),
    ]


def test_a_rule_that_recurses_too_deeply_blames_the_file(make_rule):
    def recurses(file):
        return recurses(file)

    report = lint_bytes("f.py", b"x = 1\n", settings_of(make_rule("deep", "DD1", recurses)))
    assert report.failures == [Failure("f.py", None, "is nested too deeply to be linted")]


def test_a_model_that_raises_is_one_line(make_rule, monkeypatch):
    def broken(*_):
        msg = "broken"
        raise ValueError(msg)

    monkeypatch.setattr("trainlint.static.model.FileModel", broken)
    report = lint_bytes("f.py", b"x = 1\n", settings_of(make_rule("any", "AA1", list)))
    what = "the file could not be understood (ValueError: broken)"
    (failure,) = report.failures
    assert failure.reason == f"{what}; this is a bug of trainlint, the rest went on"


def test_a_rule_that_failed_calls_no_comment_unused(catalogue, make_rule):
    def raises(_):
        raise ValueError

    failing = make_rule("failing", "FF1", raises)
    unused = catalogue.rules["unused-suppression"]
    settings = settings_of(failing, unused, select=("ALL",))
    report = lint_bytes("f.py", b"x = 1  # noqa: FF1\n", settings)
    assert len(report.failures) == 1
    assert report.diagnoses == []


def test_diagnoses_are_given_once_and_in_order(make_rule):
    def speaks(file):
        for line in (3, 1, 2, 1):
            yield rule.at(Everywhere(file.source.path, line), "is said", remedy="None.")

    rule = make_rule("twice", "TT1", speaks)
    report = lint_bytes("f.py", b"x\ny\nz\n", settings_of(rule))
    assert [one.span.line for one in report.diagnoses] == [1, 2, 3]


def test_advice_is_given_only_by_rules_that_are_selected(make_rule):
    def speaks(file):
        yield rule.at(
            Everywhere(file.source.path), "is advice", remedy="", severity=Severity.ADVICE
        )

    rule = make_rule("mild", "MM1", speaks)
    assert lint_bytes("f.py", b"x\n", settings_of(rule)).diagnoses == []
    for select in ("mild", "MM1", "MM", "lint", "warning", "ALL"):
        report = lint_bytes("f.py", b"x\n", settings_of(rule, select=(select,)))
        assert [one.message for one in report.diagnoses] == ["is advice"], select


def test_our_rules_are_not_run_where_nothing_speaks_of_training(catalogue, monkeypatch):
    made = []

    class Model(FileModel):
        def __init__(self, source, files):
            made.append(source.path)
            super().__init__(source, files)

    monkeypatch.setattr("trainlint.static.model.FileModel", Model)
    settings = settings_of(catalogue.rules["large-batch"], select=("ALL",))
    lint_bytes("about_text.py", b"x = 'a'\n", settings)
    lint_bytes("about_torch.py", b"import torch\n", settings)
    assert made == ["about_torch.py"]


def test_a_report_keeps_the_lines_that_a_frame_shows(catalogue):
    settings = settings_of(catalogue.rules["softmax-before-cross-entropy"])
    report = lint_bytes("f.py", SCRIPT.encode(), settings)
    assert report.lines == {3: "", 4: "def f(net, x, y):", 5: SCRIPT.splitlines()[4], 6: ""}


def test_a_bad_file_is_a_failure_among_reports(catalogue, tmp_path):
    (tmp_path / "good.py").write_text(SCRIPT)
    (tmp_path / "bad.py").write_text("def f(:\n")
    settings = settings_of(catalogue.rules["softmax-before-cross-entropy"])
    paths = [str(tmp_path / name) for name in ("bad.py", "gone.py", "good.py")]
    reports = list(lint_files(paths, settings))
    assert [report.path for report in reports] == paths
    assert [bool(report.failures) for report in reports] == [True, True, False]
    assert len(reports[2].diagnoses) == 1


def test_a_process_that_dies_costs_its_file_only(make_rule, tmp_path, monkeypatch):
    def dies(file):
        if file.source.path.endswith("deadly.py"):
            os._exit(3)
        yield rule.at(Everywhere(file.source.path), "is said", remedy="None.")

    rule = make_rule("dies", "DD2", dies)
    monkeypatch.setenv("TRAINLINT_JOBS", "2")
    monkeypatch.setattr(engine, "_MANY_FILES", 1)
    names = ("a.py", "a_deadly.py", "b.py", "c.py", "c_deadly.py", "d.py")
    for name in names:
        (tmp_path / name).write_text("x = 1\n")
    paths = [str(tmp_path / name) for name in names]
    reports = list(lint_files(paths, settings_of(rule)))
    assert [report.path for report in reports] == paths
    reason = "ended the process that linted it; out of memory?"
    for report in reports:
        if report.path.endswith("deadly.py"):
            assert report.failures == [Failure(report.path, None, reason)]
        else:
            assert [one.message for one in report.diagnoses] == ["is said"]


def test_the_collector_of_garbage_is_as_it_was_after_linting(catalogue, tmp_path):
    import gc  # noqa: PLC0415

    (tmp_path / "a.py").write_text(SCRIPT)
    assert gc.isenabled()
    list(lint_files([str(tmp_path / "a.py")], settings_of(*catalogue)))
    assert gc.isenabled()
    assert gc.get_freeze_count() == 0


@pytest.mark.parametrize("depth", [90, 500, 900])
@pytest.mark.parametrize(
    ("start", "piece", "end"),
    [
        ("x = 1", "+ 1", "\n"),
        ("x = net", ".a", "\n"),
        ("x = net", "(x)", "\n"),
        ("x = net", "[0]", "\n"),
        ("if x:\n    pass\n", "elif y:\n    pass\n", ""),
    ],
)
def test_a_long_chain_is_linted(catalogue, start, piece, end, depth):
    text = f"{SCRIPT}{start}{piece * depth}{end}"
    report = lint_bytes("f.py", text.encode(), settings_of(*catalogue, select=("ALL",)))
    assert report.failures == []
    assert "TL301" in {one.code for one in report.diagnoses}


def test_a_file_of_ten_megabytes_is_linted(catalogue, tmp_path):
    path = tmp_path / "big.py"
    # Data, as generators of code write it: long texts, of which the tree is small.
    data = "".join(f"text_{number} = '{'x' * 10_000}'\n" for number in range(1000))
    path.write_text(SCRIPT + dedent(data))
    assert path.stat().st_size > 10_000_000
    settings = settings_of(catalogue.rules["softmax-before-cross-entropy"])
    assert [one.span.line for one in lint_file(str(path), settings).diagnoses] == [5]
