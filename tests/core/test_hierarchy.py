"""Each file has the nearest configuration, which is read once."""

from __future__ import annotations

import pytest

from trainlint.core import hierarchy
from trainlint.core.catalogue import Catalogue
from trainlint.core.config import Config
from trainlint.core.config_file import config_in
from trainlint.core.hierarchy import Hierarchy


@pytest.fixture
def top(tmp_path, monkeypatch):
    """Return the current folder, in which two folders have a configuration of their own."""
    monkeypatch.chdir(tmp_path)
    for name, version in ((".", "2.1"), ("a", "2.2"), ("a/b/c", "2.3")):
        (tmp_path / name).mkdir(parents=True, exist_ok=True)
        (tmp_path / name / "trainlint.toml").write_text(f'target-torch = "{version}"\n')
    return tmp_path


def targets(of, *folders):
    """Return the minor versions of the targets in some folders."""
    return [of.settings_of(folder).target_torch[1] for folder in folders]


def test_the_nearest_configuration_at_or_above_a_folder_holds(top):
    found = Hierarchy(Catalogue({}))
    folders = (".", "a", "a/b", "a/b/c", "a/b/c/d/e", "x/y", str(top / "a" / "b"), "a/b/../..")
    assert targets(found, *folders) == [1, 2, 2, 3, 3, 1, 2, 1]


def test_the_order_of_the_questions_does_not_matter(top):
    assert top.is_dir()
    folders = ("a/b/c/d", "a/b", ".", "a")
    assert targets(Hierarchy(Catalogue({})), *folders) == [3, 2, 1, 2]
    assert targets(Hierarchy(Catalogue({})), *reversed(folders)) == [2, 1, 2, 3]


def test_every_file_has_the_settings_of_its_folder(top):
    assert top.is_dir()
    settings = Hierarchy(Catalogue({})).settings(["m.py", "a/n.py", "a/b/o.py", "a/b/c/p.py"])
    versions = [
        settings.of(path).target_torch
        for path in ("m.py", "./a/n.py", "a/b/o.py", str(top / "a/b/c/p.py"), "a/b/c/other.py")
    ]
    assert versions == [(2, 1), (2, 2), (2, 2), (2, 3), (2, 3)]


def test_files_of_one_configuration_share_their_settings(top):
    assert top.is_dir()
    found = Hierarchy(Catalogue({}))
    settings = found.settings(["a/n.py", "a/b/o.py", "a/x/q.py"])
    assert (settings.nested, settings) == ({}, found.settings_of("a"))
    assert found.settings_of("a/b") is found.settings_of("a/x")


def test_a_named_configuration_is_the_one_of_all_files(top):
    assert top.is_dir()
    found = Hierarchy(Catalogue({}), Config(target_torch=(2, 9)))
    assert targets(found, ".", "a", "a/b/c") == [9, 9, 9]
    assert found.files == ()


def test_what_comes_after_counts_for_all_files(top):
    assert top.is_dir()
    above = (Config(target_torch=(2, 8), force_exclude=True), Config(target_torch=(2, 7)))
    found = Hierarchy(Catalogue({}), above=above)
    assert targets(found, ".", "a") == [7, 7]
    assert found.settings_of("a").force_exclude


def test_each_configuration_is_looked_for_once(top, monkeypatch):
    asked = []

    def looking(folder):
        asked.append(folder)
        return config_in(folder)

    monkeypatch.setattr(hierarchy, "config_in", looking)
    found = Hierarchy(Catalogue({}))
    for _ in range(2):
        targets(found, "a/b/c/d", "a/b/c", "a/b/x", "a/b", "a")
    names = [str(top / name) for name in ("a/b/c/d", "a/b/c", "a/b/x", "a/b", "a")]
    assert asked == names
    assert found.files == tuple(str(top / n / "trainlint.toml") for n in ("a/b/c", "a"))
