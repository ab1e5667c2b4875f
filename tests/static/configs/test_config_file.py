"""A configuration is linted, silenced and mended like code, and only its own rules judge it."""

from __future__ import annotations

import sys
import types

import pytest

from trainlint.core.catalogue import Catalogue
from trainlint.core.config import Config, resolve
from trainlint.core.diagnosis import Diagnosis, Severity
from trainlint.core.rule import Rule
from trainlint.static.configs.config_file import ConfigFile, is_training_config
from trainlint.static.engine import lint_files, lint_source
from trainlint.static.fixer import fix_files
from trainlint.static.model import FileModel
from trainlint.static.project import Project
from trainlint.static.source import SourceError, SourceFile, may_configure

ADAM = "_target_: torch.optim.Adam\nlr: 0.5\n"
SWAPPED = {
    "yaml": 'opt:\n  _target_: "torch.optim.Adam"  # ä\n  betas: [0.999, 0.9]  # kept\n'
    "  weight_decay: 5e-2\n",
    "json": '{"_target_": "torch.optim.Adam", "ä": 0, "betas": [0.999, 0.9], "weight_decay": 5e-2}\n',
    "toml": "['ä']\n_target_ = 'torch.optim.Adam'\nbetas = [0.999, 0.9]  # kept\nweight_decay = 5e-2\n",
}


@pytest.mark.parametrize("name", ["a.yaml", "a.yml", "a.json", "a.toml", "A.YAML", "x.Json"])
def test_a_file_is_taken_for_a_configuration_by_its_name(name):
    assert may_configure(name)
    text = '{"a": 1}' if name.lower().endswith("json") else "" if name != "x.Json" else "{}"
    assert SourceFile.from_bytes(name, text.encode()).is_config
    assert not SourceFile.from_bytes(f"{name}.py", b"").is_config


def test_a_place_counts_characters_whatever_their_bytes(linted):
    text = '{"ä😀": 1, "_target_": "torch.optim.Adam", "lr": 0.5}'
    (one,) = linted(text, "a.json")
    assert one.span.line == one.span.end_line == 1
    assert text[one.span.column - 1 : one.span.end_column - 1] == "0.5"


def test_a_value_of_several_lines_is_marked_whole(linted):
    text = "_target_: torch.optim.Adam\nlr: 1e-3\nbetas:\n- 0.9\n- 1.5\nweight_decay: 0\n"
    (one,) = linted(text)
    assert (one.code, one.span.line, one.span.end_line) == ("TL403", 4, 5)


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("_target_: torch.optim.Adam\nlr: 0.5{}\n", "a.yaml"),
        ("_target_ = 'torch.optim.Adam'\nlr = 0.5{}\n", "a.toml"),
    ],
)
def test_a_comment_silences_its_line_and_one_without_use_is_told(said, text, path):
    assert said(text.format(""), path) == ["2 TL402"]
    for comment in ("# noqa: TL402", "# noqa", "# trainlint: ignore[adam-lr-too-high] so it is"):
        assert said(text.format(f"  {comment}"), path) == []
    assert said("# trainlint: file-ignore[TL402]\n" + text.format(""), path) == []
    assert said(text.format("  # noqa: TL404"), path) == ["2 TL402", "2 TL001"]
    assert said(text.format("  # noqa: TL301"), path) == ["2 TL402"], "no rule of configurations"


def test_what_looks_like_a_comment_in_a_text_silences_nothing(said):
    text = "_target_: torch.optim.Adam\nlr: 0.5\nname: 'a # noqa'\nmore: |\n  # trainlint: file-ignore\n"
    assert said(text) == ["2 TL402"]


@pytest.mark.parametrize("ending", SWAPPED)
@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("bom", [b"", b"\xef\xbb\xbf"])
def test_fixes_change_their_values_and_keep_every_other_byte(
    tmp_path, everything, ending, end, bom
):
    path = tmp_path / f"conf.{ending}"
    before = bom + SWAPPED[ending].replace("\n", end).encode()
    path.write_bytes(before)
    paths = [str(path)]
    reports = list(lint_files(paths, everything))
    outcome = fix_files(paths, everything, reports, unsafe=True, write=True)
    assert outcome.made == 2
    assert outcome.refused == []
    mended = before.replace(b"0.999, 0.9", b"0.9, 0.999").replace(b"Adam", b"AdamW")
    assert path.read_bytes() == mended
    assert outcome.reports[0].diagnoses == []


@pytest.mark.parametrize("betas", ["\n  - 0.999\n  - 0.9", "[0.999,  # first\n 0.9]", "*pair"])
def test_a_list_that_cannot_be_written_anew_has_a_remedy_and_no_fix(linted, betas):
    text = (
        f"pair: &pair\n  - 0.999\n  - 0.9\nopt:\n  _target_: torch.optim.Adam\n  betas: {betas}\n"
    )
    (one,) = linted(text)
    assert one.code == "TL404"
    assert one.fix is None


def test_one_rule_asks_the_same_questions_of_a_configuration_as_of_code():
    source = SourceFile.from_bytes("a.yaml", b"o:\n  _target_: torch.optim.SGD\n  lr: 0.1\n")
    (optimizer,) = FileModel(source).optimizers()
    assert (optimizer.kind, optimizer.number("lr"), optimizer.is_torch) == ("SGD", 0.1, True)
    assert optimizer.call.called.quoted == "`torch.optim.SGD`"
    assert [given.trains_modules for given in optimizer.given("lr")] == [True]
    assert optimizer.call.is_open, "the code may pass more"


def test_only_rules_that_say_so_judge_configurations(monkeypatch):
    for name in ("code_only", "both"):
        module = types.ModuleType(f"others.optimizer.{name}", "A rule.")
        monkeypatch.setitem(sys.modules, f"others.optimizer.{name}", module)
    rules = [
        Rule("others.optimizer.code_only", "X401", Severity.ERROR),
        Rule("others.optimizer.both", "X402", Severity.ERROR, judges_configs=True),
    ]
    for rule in rules:

        @rule.check
        def check(file, rule=rule):
            for one in file.optimizers():
                yield rule.at(one, "Here.", remedy="Do.")

    settings = resolve(Catalogue({one.name: one for one in rules}), Config())

    def codes(path, text):
        found = lint_source(SourceFile.from_bytes(path, text.encode()), settings).diagnoses
        assert all(isinstance(one, Diagnosis) for one in found)
        return [one.code for one in found]

    assert codes("a.yaml", ADAM) == ["X402"]
    code = "import torch\ntorch.optim.Adam(m.parameters())\n"
    assert codes("a.py", code) == ["X401", "X402"]


def test_every_rule_that_judges_configurations_is_one_of_numbers(catalogue):
    assert {rule.code for rule in catalogue if rule.judges_configs} == {
        *("TL001", "TL211", "TL401", "TL402", "TL403", "TL404", "TL412", "TL413", "TL416"),
        *("TL418", "TL513", "TL604", "TL608", "TL702"),
    }


def test_settings_hold_for_configurations(catalogue):
    ignoring = Config(per_file_ignores={"old/*": ("TL402",)})
    settings = resolve(catalogue, ignoring)

    def codes(path, settings=settings):
        found = lint_source(SourceFile.from_bytes(path, ADAM.encode()), settings).diagnoses
        return [(one.code, one.severity) for one in found]

    assert codes("old/a.yaml") == []
    assert codes("new/a.yaml") == [("TL402", Severity.WARNING)]
    stricter = Config(
        severity={"TL402": Severity.ERROR}, thresholds={"adam-lr-too-high": {"rate": 0.4}}
    )
    assert codes("a.yaml", resolve(catalogue, stricter)) == [("TL402", Severity.ERROR)]
    laxer = Config(thresholds={"adam-lr-too-high": {"rate": 0.6}})
    assert codes("a.yaml", resolve(catalogue, laxer)) == []


def test_what_could_not_be_followed_is_told(everything):
    source = SourceFile.from_bytes("a.yaml", b"_target_: torch.optim.Adam\nlr: ${env.lr}\n")
    report = lint_source(source, everything, unresolved=True)
    assert [(one.expression, one.span.line) for one in report.unresolved] == [("${env.lr}", 2)]


def test_a_file_of_code_imports_nothing_from_a_configuration(tmp_path):
    (tmp_path / "models.yaml").write_text("import torch\nfrom models import Net\nclass Net:\n")
    (tmp_path / "train.py").write_text("from models import Net\nimport torch\n")
    paths = [str(tmp_path / name) for name in ("models.yaml", "train.py")]
    project = Project(paths)
    assert project.imported_files(paths[0]) == []
    assert project.imported_files(paths[1]) == []
    assert project.summary(paths[0]).top == {}


@pytest.mark.parametrize(
    ("name", "data", "message"),
    [
        ("a.yaml", b"a: [1,\nb: }\n", "a.yaml:2: is no YAML: "),
        ("a.json", b'{"a": 1,\n}', "a.json:2: is no JSON: "),
        ("a.toml", b"a = 1\na = 2\n", "a.toml:2: is no TOML: "),
        ("a.json", b'{"a": "\xff"}', "a.json:1: is not UTF-8: byte 0xff cannot be decoded"),
        ("a.json", b"[]" + b" " * 1_000_000, "a.json: is over 1 MB and not linted"),
        ("a.json", b"[" * 500 + b"]" * 500, "a.json: is nested over 64 deep and not linted"),
    ],
)
def test_a_file_that_cannot_be_read_is_told_in_one_line(name, data, message, tmp_path):
    with pytest.raises(SourceError) as caught:
        SourceFile.from_bytes(name, data)
    assert str(caught.value).startswith(message)
    assert "\n" not in str(caught.value)
    (tmp_path / name).write_bytes(data)
    assert is_training_config(str(tmp_path / name)) is False


@pytest.mark.parametrize("name", ["a.yaml", "a.json", "a.toml"])
def test_a_file_in_a_folder_is_one_of_training_where_something_known_is_in_it(tmp_path, name):
    path = tmp_path / name
    for text, expected in ((SWAPPED[name[2:]], True), ("# _target_" * (name != "a.json"), False)):
        path.write_text(text)
        assert is_training_config(str(path)) is expected
    path.unlink()
    assert is_training_config(str(path)) is False


def test_an_empty_configuration_says_nothing(said):
    assert said("") == []
    assert said("---\n...\n") == []
    assert said("{}", "a.json") == []
    assert said("", "a.toml") == []


def test_a_text_with_an_edit_is_read_again():
    source = ConfigFile("a.json", '{"lr": 1}', bom=True)
    assert source.with_text('{"lr": 2}').encoded() == b'\xef\xbb\xbf{"lr": 2}'
    with pytest.raises(SourceError, match="is no JSON"):
        source.with_text('{"lr": 2')
