"""What the cache saves: a run with nothing kept, the same run again, and again after one file changed.

    python bench/cache.py FOLDER... [--rounds 3]

Whole processes of `trainlint check`, in turn, on a copy of the Python files of the folders: *cold* with
an empty cache, *warm* with nothing changed, *leaf* after a change to the file that fewest others hang
on, *root* after a change to the one that most hang on. Medians, and the ratio to cold round by round.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from trainlint.static.project import Project


def main() -> None:
    """Copy the files, run the four ways in turn, print the table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("folders", nargs="+", metavar="FOLDER")
    parser.add_argument("--rounds", type=int, default=3, help="counted rounds (3)")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        top = Path(scratch)
        for folder in options.folders:
            _copy(Path(folder), top / Path(folder).name)
        files = sorted(top.rglob("*.py"))
        lines = sum(path.read_bytes().count(b"\n") for path in files)
        leaf, root = _extremes([str(path) for path in files])
        taken: dict[str, list[float]] = {"cold": [], "warm": [], "leaf": [], "root": []}
        for _ in range(options.rounds):
            shutil.rmtree(top / ".trainlint_cache", ignore_errors=True)
            taken["cold"].append(_run(top))
            taken["warm"].append(_run(top))
            _touch(leaf)
            taken["leaf"].append(_run(top))
            _touch(root)
            taken["root"].append(_run(top))
    print(f"{len(files)} files, {lines:,} lines, {options.rounds} rounds; medians\n")
    print(f"{'':8}{'wall s':>10}{'of cold':>10}")
    for name, seconds in taken.items():
        ratio = statistics.median(
            one / cold for one, cold in zip(seconds, taken["cold"], strict=True)
        )
        print(f"{name:8}{statistics.median(seconds):>10.2f}{ratio:>10.3f}")


def _copy(source: Path, target: Path) -> None:
    """Copy the Python files of a folder."""
    for path in source.rglob("*.py"):
        place = target / path.relative_to(source)
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, place)


def _extremes(paths: list[str]) -> tuple[str, str]:
    """Return the files that fewest and most others import."""
    project = Project(paths)
    counts = dict.fromkeys((os.path.abspath(path) for path in paths), 0)
    for path in list(counts):
        for imported in project.imported_files(path):
            counts[imported] += 1
    ordered = sorted(counts, key=lambda path: (counts[path], path))
    return ordered[0], ordered[-1]


def _touch(path: str) -> None:
    """Change a file by a comment at its end."""
    with open(path, "a", encoding="utf-8") as stream:
        stream.write("# changed\n")


def _run(folder: Path) -> float:
    """Run the command in a folder; return how many seconds it took."""
    environment = {
        key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"
    }
    started = time.perf_counter()
    subprocess.run(
        [sys.executable, "-m", "trainlint", "check", "--isolated", "--quiet", "--statistics"],
        cwd=folder,
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        check=False,
    )
    return time.perf_counter() - started


if __name__ == "__main__":
    main()
