"""What a configuration file says is read once, checked for its form, and stacked upon what it extends."""

from __future__ import annotations

import os

import pytest

from trainlint.core.config import ConfigError
from trainlint.core.config_file import config_in, inline_config, read_config, version
from trainlint.core.diagnosis import Severity


def test_a_folder_without_a_configuration_has_none(tmp_path):
    assert config_in(str(tmp_path)) is None
    assert config_in(str(tmp_path / "no" / "such" / "folder")) is None
    (tmp_path / "pyproject.toml").write_text("[project]\n")
    (tmp_path / "trainlint.toml").mkdir()
    assert config_in(str(tmp_path)) is None


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no named pipes")
def test_a_pipe_is_no_configuration_and_nobody_waits_for_it(tmp_path):
    os.mkfifo(tmp_path / "trainlint.toml")
    (tmp_path / "pyproject.toml").write_text('[tool.trainlint]\nselect = ["a"]\n')
    config = config_in(str(tmp_path))
    assert config is not None
    assert config.selection.select == ("a",)


def test_all_that_a_file_says_is_read(tmp_path):
    (tmp_path / "trainlint.toml").write_text(
        'select = ["a"]\nignore = ["b"]\nextend-select = ["c"]\n'
        'exclude = ["d"]\nextend-exclude = ["e"]\nforce-exclude = true\ntarget-torch = "2.5.1"\n'
        'per-file-ignores = {f = ["g"]}\nextend-per-file-ignores = {h = ["i"]}\n'
        'severity = {j = "advice"}\nrules = {k = {l = 1}}\n'
    )
    config = config_in(str(tmp_path))
    assert config is not None
    assert (config.path, config.folder) == (str(tmp_path / "trainlint.toml"), str(tmp_path))
    selection = config.selection
    assert (selection.select, selection.ignore, selection.extend_select) == (("a",), ("b",), ("c",))
    assert (config.exclude, config.extend_exclude, config.force_exclude) == (("d",), ("e",), True)
    assert config.target_torch == (2, 5, 1)
    assert (config.per_file_ignores, config.extend_per_file_ignores) == (
        {"f": ("g",)},
        {"h": ("i",)},
    )
    assert config.severity == {"j": Severity.ADVICE}
    assert config.thresholds == {"k": {"l": 1}}
    assert config.files == (str(tmp_path / "trainlint.toml"),)


def test_what_a_file_does_not_say_is_not_said(tmp_path):
    (tmp_path / "trainlint.toml").write_text("")
    config = config_in(str(tmp_path))
    assert config is not None
    assert (config.selection.select, config.exclude, config.per_file_ignores) == (None, None, None)
    assert (config.force_exclude, config.target_torch, config.base) == (None, None, None)


def test_a_byte_order_mark_is_no_part_of_a_file(tmp_path):
    (tmp_path / "trainlint.toml").write_bytes(b"\xef\xbb\xbfexclude = ['x']\n")
    config = config_in(str(tmp_path))
    assert config is not None
    assert config.exclude == ("x",)


def test_a_file_stands_upon_those_that_it_extends(tmp_path):
    (tmp_path / "a.toml").write_text('extend = "b/b.toml"\n')
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "b.toml").write_text('extend = "../c.toml"\nexclude = ["x"]\n')
    (tmp_path / "c.toml").write_text('exclude = ["y"]\n')
    config = read_config(str(tmp_path / "a.toml"))
    assert [os.path.basename(path) for path in config.files] == ["a.toml", "b.toml", "c.toml"]
    assert [one.exclude for one in config.places] == [("y",), ("x",), None]


def test_patterns_of_a_named_file_are_relative_to_the_current_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "trainlint.toml").write_text('extend = "../b.toml"\n')
    (tmp_path / "b.toml").write_text("")
    named = read_config("a/trainlint.toml")
    assert {one.folder for one in named.places} == {str(tmp_path)}
    found = config_in(str(tmp_path / "a"))
    assert found is not None
    assert [one.folder for one in found.places] == [str(tmp_path), str(tmp_path / "a")]


def test_a_setting_of_the_command_line_is_read_as_toml():
    config = inline_config('rules.large-batch.limit = 64\ntarget-torch = "2.4"')
    assert config is not None
    assert config.thresholds == {"large-batch": {"limit": 64}}
    assert (config.target_torch, config.path) == ((2, 4), None)
    assert inline_config("a.toml") is None
    assert inline_config("select = [") is None


@pytest.mark.parametrize(
    ("text", "numbers"), [("2.6", (2, 6)), ("2.10.1", (2, 10, 1)), ("1.13", (1, 13))]
)
def test_a_version_is_its_numbers(text, numbers):
    assert version(text, "here") == numbers


@pytest.mark.parametrize("text", ["2", "2.", "v2.6", ">=2.6", "2.6.0.1", "2.6rc1", "٢.٦", "", 2.6])
def test_what_is_no_version_is_refused(text):
    with pytest.raises(
        ConfigError, match=r"^here: expects a version as a text, such as '2\.6', not"
    ):
        version(text, "here")
