"""Which files are linted: the answer of git, and the usual exclusions."""

from __future__ import annotations

import inspect
import os
import subprocess
import sys
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from trainlint.core.catalogue import Catalogue
from trainlint.core.config import EXCLUDED, Config, resolve
from trainlint.core.report import Failure
from trainlint.static.discovery import discover

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path


def make(top: Path, *paths: str) -> None:
    """Make empty files."""
    for path in paths:
        (top / path).parent.mkdir(parents=True, exist_ok=True)
        (top / path).touch()


def discovered(*paths: str, config: Config | None = None) -> list[str | Failure]:
    """Return what is found with one configuration for all folders."""
    settings = resolve(Catalogue({}), config or Config())
    return list(discover(paths, lambda _: settings))


def found(*paths: str, exclude: Iterable[str] = ()) -> list[str]:
    """Return what is found, of which nothing may be a failure."""
    files = discovered(*paths or (".",), config=Config(extend_exclude=tuple(exclude)))
    assert not any(isinstance(one, Failure) for one in files)
    return [str(one) for one in files]


@pytest.fixture(autouse=True)
def top(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the current folder, which is empty."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_python_files_are_found_in_all_folders_in_the_order_of_their_names(top):
    make(top, "b.py", "a/c.py", "a/b/d.py", "c.txt", "a.PY", "e.pyi", "z.py", "a/a.py")
    assert found() == ["a/a.py", "a/b/d.py", "a/c.py", "b.py", "z.py"]
    assert found("a") == ["a/a.py", "a/b/d.py", "a/c.py"]
    assert found("./a//") == found("a")
    assert found(str(top / "a")) == [str(top / path) for path in found("a")]


def test_the_usual_folders_are_left_out_unless_they_are_named(top):
    make(top, "a.py", *(f"{folder}/x.py" for folder in EXCLUDED), "src/build/y.py")
    assert found() == ["a.py"]
    assert {".venv", ".git", "node_modules", "build", "dist", "__pycache__"} <= EXCLUDED
    for folder in EXCLUDED:
        assert found(folder) == [f"{folder}/x.py"]


def test_a_file_is_named_whatever_it_is_called(top):
    make(top, "script", "build/x.py", ".gitignore")
    (top / ".gitignore").write_text("script\nbuild\n")
    assert found("script", "build/x.py") == ["script", "build/x.py"]


def test_what_is_named_twice_is_found_once(top):
    make(top, "a/b.py")
    assert found("a/b.py", "a", ".", "./a/b.py", str(top), "a/../a/b.py") == ["a/b.py"]


LAYOUTS = {
    "plain": {".gitignore": "secret.py\n*.gen.py\n"},
    "folders": {".gitignore": "out/\n/top.py\nsrc/only.py\n"},
    "negated": {".gitignore": "*.py\n!keep.py\n!src/\n"},
    "nested": {".gitignore": "*.gen.py\n", "src/.gitignore": "!a.gen.py\n/deep/\n"},
    "nested again": {".gitignore": "src/*\n!src/deep/\n", "src/deep/.gitignore": "only.py\n"},
    "a folder is lost": {".gitignore": "src\n", "src/.gitignore": "!*\n"},
    "stars": {".gitignore": "**/deep/*.py\n!**/deep/keep.py\n"},
    "comments": {".gitignore": "# a.gen.py\n\n\\#x.py\nsecret.py   \n"},
    "exclude of the repository": {".git/info/exclude": "secret.py\nsrc/deep\n"},
}
NAMES = ("secret.py", "a.gen.py", "keep.py", "only.py", "top.py", "#x.py")
FOLDERS = ("", "out/", "src/", "src/deep/", "src/out/", "other/deep/")


@pytest.mark.parametrize("layout", LAYOUTS.values(), ids=LAYOUTS)
def test_ignore_files_mean_what_git_says(top, layout):
    subprocess.run(["git", "init", "-q", "."], check=True)
    make(top, *(folder + name for folder in FOLDERS for name in NAMES))
    for path, text in layout.items():
        (top / path).write_text(text)
    listed = subprocess.run(
        ["git", "-c", "core.excludesFile=", "ls-files", "-z", "--others", "--exclude-standard"],
        check=True,
        capture_output=True,
        text=True,
    ).stdout.split("\0")
    of_git = sorted(path for path in listed if path.endswith(".py"))
    assert sorted(found()) == of_git
    assert 0 < len(of_git) < len(FOLDERS) * len(NAMES)
    # From a folder below, the ignore files above hold as well.
    below = [path for path in of_git if path.startswith("other/")]
    assert sorted(found("other")) == below


def test_ignore_files_above_the_repository_do_not_hold(top):
    make(top, "inner/a.py", "inner/.git/HEAD")
    (top / ".gitignore").write_text("*.py\n")
    assert found("inner") == ["inner/a.py"]


def test_patterns_of_the_configuration_win_over_ignore_files(top):
    make(top, "a.py", "gen/b.py", "src/gen/c.py")
    (top / ".gitignore").write_text("!gen\n!a.py\n")
    assert found(exclude=["gen/"]) == ["a.py"]
    assert found(exclude=["/gen", "a.py"]) == ["src/gen/c.py"]
    assert found(exclude=["*.py", "!a.py"]) == ["a.py"]


def test_patterns_of_a_configuration_elsewhere_match_names_only(top, tmp_path_factory):
    make(top, "a.py", "gen/b.py")
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    assert discovered(".", config=Config(home=elsewhere, exclude=("gen/",))) == ["a.py"]
    assert discovered(".", config=Config(home=elsewhere, exclude=("/gen/",))) == [
        "a.py",
        "gen/b.py",
    ]


def test_patterns_that_replace_the_usual_ones_leave_out_nothing_else(top):
    make(top, "a.py", "gen/b.py", "build/c.py")
    assert discovered(".", config=Config(exclude=("gen/",))) == ["a.py", "build/c.py"]
    assert discovered(".", config=Config(exclude=())) == ["a.py", "build/c.py", "gen/b.py"]


def test_what_is_usually_left_out_can_be_taken_back(top):
    make(top, "a.py", "build/c.py", "dist/d.py")
    assert found(exclude=["!build/"]) == ["a.py", "build/c.py"]


def test_what_is_named_is_left_out_where_that_is_forced(top):
    make(top, "a.py", "build/b.py", "gen/deep/c.py", "ignored.py")
    (top / ".gitignore").write_text("ignored.py\n")
    named = ("a.py", "build/b.py", "gen/deep", "gen", "build", "gen/deep/c.py", "ignored.py")
    forced = Config(extend_exclude=("gen",), force_exclude=True)
    assert discovered(*named, config=forced) == ["a.py", "ignored.py"]
    assert len(discovered(*named, config=Config(extend_exclude=("gen",)))) == 4
    assert discovered(
        "build/b.py", config=replace(forced, path=top / "build" / "x", home=top / "build")
    ) == ["build/b.py"]
    assert discovered("gone.py", config=forced) == [
        Failure("gone.py", None, "no such file or folder")
    ]


def test_each_folder_leaves_out_what_its_own_settings_say(top):
    make(top, "a.py", "one/a.py", "one/b.py", "one/deep/a.py", "two/a.py", "two/b.py")
    plain = resolve(Catalogue({}), Config())
    of_one = resolve(Catalogue({}), Config(home=top / "one", exclude=("/a.py", "deep")))
    inside = str(top / "one")
    files = discover(["."], lambda folder: of_one if folder.startswith(inside) else plain)
    assert list(files) == ["a.py", "one/b.py", "two/a.py", "two/b.py"]


def test_links_to_folders_are_not_followed_so_there_is_no_loop(top):
    make(top, "a/b.py", "other/c.py")
    (top / "a" / "loop").symlink_to(top)
    (top / "a" / "linked").symlink_to(top / "other")
    assert found() == ["a/b.py", "other/c.py"]
    assert found("a/linked") == ["a/linked/c.py"]
    assert found("a/linked/../other") == ["a/linked/../other/c.py"]


def test_a_link_to_a_file_is_a_file_and_one_to_nowhere_is_nothing(top):
    make(top, "a.py")
    (top / "b.py").symlink_to("a.py")
    # So Emacs says that somebody edits a file.
    (top / ".#a.py").symlink_to("somebody@somewhere.1234:56")
    assert found() == ["a.py", "b.py"]


def test_a_link_to_itself_is_one_failure_and_the_rest_is_found(top):
    make(top, "a.py", "z.py")
    (top / "loop.py").symlink_to("loop.py")
    reason = "cannot be read: Too many levels of symbolic links"
    assert discovered(".") == ["a.py", Failure("loop.py", None, reason), "z.py"]
    (top / ".gitignore").write_text("loop.py\n")
    assert found() == ["a.py", "z.py"]


def test_what_is_no_file_is_passed_over(top):
    os.mkfifo(top / "pipe.py")
    make(top, "folder.py/a.py")
    assert found() == ["folder.py/a.py"]


def test_a_missing_path_is_a_failure_and_the_rest_is_found(top):
    make(top, "a.py")
    gone = Failure("gone.py", None, "no such file or folder")
    assert discovered("gone.py", ".") == [gone, "a.py"]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_folder_that_may_not_be_read_is_a_failure(top):
    make(top, "a.py", "locked/b.py")
    (top / "locked").chmod(0)
    try:
        failure = Failure("locked", None, "cannot be read: Permission denied")
        assert discovered(".") == ["a.py", failure]
    finally:
        (top / "locked").chmod(0o700)


def test_folders_in_folders_need_no_recursion(top):
    path = "/".join(["d"] * 300)
    make(top, f"{path}/a.py")
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(len(inspect.stack()) + 100)
    try:
        assert found() == [f"{path}/a.py"]
    finally:
        sys.setrecursionlimit(limit)


def test_a_name_that_is_no_text_is_found(top):
    with open(os.fsencode(str(top)) + b"/\xff.py", "wb"):
        pass
    assert [os.fsencode(one) for one in found()] == [b"\xff.py"]
