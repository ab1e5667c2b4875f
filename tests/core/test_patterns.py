"""Path patterns mean what git says that they mean."""

from __future__ import annotations

import random
import subprocess
from typing import TYPE_CHECKING

import pytest

from trainlint.core.patterns import Patterns

if TYPE_CHECKING:
    from pathlib import Path

NAMES = ("a", "b", "ab", "a.py", "b.py", "ab.py", "[x]", "x y", "#c", "!d")
PIECES = (
    *("a", "b", "ab", "a.py", "*", "*", "**", "?", "*.py", "a*", "*b", "[ab]", "[!a]", "[^b]*"),
    *(
        "[a-b].py",
        "[[:alpha:]]",
        r"\#c",
        r"\!d",
        "x y",
        r"\[x\]",
        "[]x]",
        "[",
        "a\\",
        r"a\.py",
        "a**b",
    ),
)


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a git repository with folders in folders, each with the same names in it."""
    top = tmp_path_factory.mktemp("repository")
    subprocess.run(["git", "init", "-q", str(top)], check=True)
    return top


def ignored_by_git(repository: Path, lines: list[str], paths: list[str]) -> set[str]:
    """Return those of the paths that git ignores under an ignore file."""
    (repository / ".gitignore").write_text("".join(f"{line}\n" for line in lines))
    done = subprocess.run(
        ["git", "-c", "core.excludesFile=", "check-ignore", "--no-index", "-z", "--stdin"],
        cwd=repository,
        input="\0".join(paths),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode in {0, 1}, done.stderr
    return set(filter(None, done.stdout.split("\0")))


def ignored_by_us(lines: list[str], paths: list[str]) -> set[str]:
    """Return those of the paths that are ignored, each looked at from the outermost folder down."""
    patterns = Patterns(lines)
    ignored = set()
    for path in paths:
        parts = path.split("/")
        above = ("/".join(parts[:end]) for end in range(1, len(parts)))
        if any(patterns.verdict(folder, folder=True) for folder in above) or patterns.verdict(
            path, folder=False
        ):
            ignored.add(path)
    return ignored


def some_paths(chance: random.Random) -> list[str]:
    """Return paths of one to four parts, none of which is a folder of another."""
    paths = {"/".join(chance.choices(NAMES, k=chance.randint(1, 4))) for _ in range(60)}
    return sorted(path for path in paths if not any(one.startswith(f"{path}/") for one in paths))


def some_pattern(chance: random.Random) -> str:
    """Return a pattern of one to three parts."""
    text = "/".join(chance.choices(PIECES, k=chance.choice((1, 1, 2, 2, 3))))
    before = chance.choice(("", "", "", "!", "/", "**/", "!/"))
    return before + text + chance.choice(("", "", "", "/", "/**", " ", r"\ "))


@pytest.mark.parametrize("seed", range(8))
def test_random_patterns_match_what_git_says(repository: Path, seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311 - no secrets here
    for _ in range(12):
        lines = [some_pattern(chance) for _ in range(chance.randint(1, 6))]
        paths = some_paths(chance)
        assert ignored_by_us(lines, paths) == ignored_by_git(repository, lines, paths), lines


@pytest.mark.parametrize(
    ("lines", "path", "verdict"),
    [
        (["build"], "src/build", True),
        (["/build"], "src/build", None),
        (["src/build"], "src/build", True),
        (["src/build"], "more/src/build", None),
        (["*.py", "!keep.py"], "keep.py", False),
        (["!keep.py", "*.py"], "keep.py", True),
        (["# build"], "# build", None),
        ([r"\#build"], "#build", True),
        (["build/"], "build", None),
        (["a/**/b"], "a/b", True),
        (["a/**/b"], "a/x/y/b", True),
        (["a/**"], "a", None),
        (["a/**"], "a/b/c", True),
        (["name  "], "name", True),
        ([r"name\ "], "name ", True),
        (["name\r\n"], "name", True),
        (["*"], "anything", True),
        (["[a-"], "a", None),
        ([""], "", None),
    ],
)
def test_a_pattern_gives_the_verdict(lines: list[str], path: str, verdict: object) -> None:
    assert Patterns(lines).verdict(path, folder=False) is verdict


def test_a_pattern_with_a_slash_at_its_end_is_for_folders_only() -> None:
    patterns = Patterns(["out/"])
    assert patterns.verdict("out", folder=True) is True
    assert patterns.verdict("out", folder=False) is None


def test_a_file_is_covered_through_the_folder_that_holds_it() -> None:
    patterns = Patterns(["tests/data/", "*.gen.py"])
    assert patterns.covers("tests/data/deep/file.py")
    assert patterns.covers("src/a.gen.py")
    assert not patterns.covers("tests/file.py")


def test_no_lines_are_no_patterns() -> None:
    assert not Patterns([])
    assert not Patterns(["", "# only a comment"])
    assert Patterns(["a"])
