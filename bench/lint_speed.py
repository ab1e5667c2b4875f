"""How fast `trainlint check` is, beside a bare parse of the same files and beside other linters.

    python bench/lint_speed.py [FOLDER...] [--rounds 5] [--slow 60]

Every tool is run as a whole cold process, in turn, so that a change of the machine's speed meets all
of them; figures are medians, ratios are medians of the ratios round by round. The yardstick is a
process that starts Python, reads every file, parses it with `ast` and walks the tree once. Tools that
are not installed beside this Python are left out; one that needs more than ``--slow`` seconds is run
once. Nothing is fetched, and nothing of the folders is run.

Then, and alone where no folder is named, what a run costs that has next to nothing to do: one file, the
files of a commit, files that are unchanged; beside a Python that does nothing, and ruff.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

NO_BYTECODE = "PYTHONDONTWRITEBYTECODE"

PARSE_AND_WALK = """
import ast, sys, warnings
warnings.simplefilter("ignore")
nodes = 0
for path in open(sys.argv[1], encoding="utf-8").read().splitlines():
    try:
        with open(path, "rb") as stream:
            tree = ast.parse(stream.read())
    except (SyntaxError, ValueError, OSError, RecursionError):
        continue
    for node in ast.walk(tree):
        nodes += 1
print(nodes)
"""


ABOUT_TRAINING = """
import torch
from torch import nn

model = nn.Sequential(nn.Linear(8, 8), nn.ReLU(), nn.Linear(8, 2), nn.Softmax(dim=1))
criterion = nn.CrossEntropyLoss()
for inputs, targets in loader:
    criterion(model(inputs), targets).backward()
"""
ABOUT_ELSE = """
import os

for name in os.listdir():
    print(name)
"""
CHANGED = 4
"""Files of a commit; so few are linted without a cache."""
KEPT = 8
"""Files of a project that is linted again; so many are kept."""


@dataclass
class Tool:
    """A command, and what its runs took."""

    name: str
    command: list[str]
    environment: dict[str, str] = field(default_factory=dict)
    folder: str | None = None
    wall: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)
    memory: list[float] = field(default_factory=list)

    def run(self) -> None:
        """Run the command once and keep its seconds and megabytes (of its largest process)."""
        started = time.perf_counter()
        child = os.fork()
        if child == 0:
            sink = os.open(os.devnull, os.O_WRONLY)
            os.dup2(sink, 1)
            os.dup2(sink, 2)
            if self.folder is not None:
                os.chdir(self.folder)
            # An installed program finds its bytecode.
            kept = {key: value for key, value in os.environ.items() if key != NO_BYTECODE}
            os.execve(self.command[0], self.command, {**kept, **self.environment})  # noqa: S606
        _, status, usage = os.wait4(child, 0)
        self.wall.append(time.perf_counter() - started)
        self.cpu.append(usage.ru_utime + usage.ru_stime)
        self.memory.append(usage.ru_maxrss / 1024)
        # 1 means that a linter has found something.
        if os.waitstatus_to_exitcode(status) not in {0, 1, 2}:
            print(f"{self.name}: ended with {status}", file=sys.stderr)


def main() -> None:
    """Read the command line, run everything in turn, print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("folders", nargs="*", metavar="FOLDER")
    parser.add_argument("--rounds", type=int, default=5, help="counted runs of each tool (5)")
    parser.add_argument(
        "--slow", type=float, default=60, help="seconds over which one run is enough"
    )
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        if options.folders:
            _many_files(options.folders, options.rounds, options.slow, Path(scratch))
        _start_up(max(options.rounds, 20), Path(scratch))


def _many_files(folders: list[str], rounds: int, slow: float, scratch: Path) -> None:
    """Compare the tools on all Python files of the folders."""
    paths = sorted(str(path) for folder in folders for path in Path(folder).rglob("*.py"))
    lines = sum(_count_lines(path) for path in paths)
    listing = scratch / "files.txt"
    listing.write_text("\n".join(paths), encoding="utf-8")
    tools = [
        Tool("parse and walk", [sys.executable, "-c", PARSE_AND_WALK, str(listing)]),
        *_installed(
            "trainlint", "trainlint check", ["check", "--no-cache", "--isolated", *folders]
        ),
        *(
            Tool("trainlint, 1 process", one.command, {"TRAINLINT_JOBS": "1"})
            for one in _installed("trainlint", "", ["check", "--no-cache", "--isolated", *folders])
        ),
        *(
            Tool("trainlint, all rules", one.command)
            for one in _installed(
                "trainlint", "", ["check", "--no-cache", "--isolated", "--select", "ALL", *folders]
            )
        ),
        *_installed(
            "ruff", "ruff, ALL", ["check", "--select", "ALL", "--no-cache", "--isolated", *folders]
        ),
        *_installed("flake8", "flake8", ["--isolated", *folders]),
        *_installed("torchfix", "TorchFix", ["--select", "ALL", *folders]),
    ]
    for number in range(rounds):
        for tool in tools:
            if number == 0 or statistics.median(tool.wall) < slow:
                tool.run()
    print(f"{len(paths)} files, {lines:,} lines, {rounds} rounds; medians\n")
    header = ("", "wall s", "CPU s", "lines/s", "MB", "wall ratio", "CPU ratio")
    print(("{:22}" + "{:>12}" * 6).format(*header))
    bare = tools[0]
    for tool in tools:
        wall, cpu = statistics.median(tool.wall), statistics.median(tool.cpu)
        row = (
            f"{wall:.2f}",
            f"{cpu:.2f}",
            f"{lines / wall:,.0f}",
            f"{max(tool.memory):.0f}",
            f"{_ratio(tool.wall, bare.wall):.2f}",
            f"{_ratio(tool.cpu, bare.cpu):.2f}",
        )
        print(f"{tool.name:22}" + "".join(f"{cell:>12}" for cell in row))
    by_name = {tool.name: tool for tool in tools}
    ours, theirs = by_name.get("trainlint check"), by_name.get("TorchFix")
    if ours and theirs:
        faster = _ratio(theirs.wall, ours.wall)
        print(f"\ntrainlint check is {faster:.0f} times as fast as TorchFix")


def _start_up(rounds: int, scratch: Path) -> None:
    """Measure runs that have next to nothing to do."""
    tools = _with_little_to_do(scratch)
    for number in range(rounds + 1):
        for tool in tools:
            tool.run()
            if not number:
                tool.wall.clear()  # the first one meets cold files, and fills the cache
    print(f"\nstart-up, {rounds} rounds; least, median, median of the ratios\n")
    for tool in tools:
        least, median = min(tool.wall) * 1000, statistics.median(tool.wall) * 1000
        times = _ratio(tool.wall, tools[0].wall)
        print(f"{tool.name:34}{least:>6.0f} ms{median:>6.0f} ms{times:>8.1f}")


def _with_little_to_do(folder: Path) -> list[Tool]:
    """Write the files and return what is run over them."""
    training = [f"training{number}.py" for number in range(KEPT)]
    for number, name in enumerate(training):
        text = f"{ABOUT_TRAINING}\nnumber = {number}\n"
        (folder / name).write_text(text, encoding="utf-8")
    (folder / "files.py").write_text(ABOUT_ELSE, encoding="utf-8")
    plain, changed = ["check", "--no-cache", "--isolated"], training[:CHANGED]
    kept = ["check", "--isolated", *training]
    found = [
        Tool("python -c pass", [sys.executable, "-c", "pass"]),
        *_installed("trainlint", "trainlint --version", ["--version"]),
        *_installed("trainlint", "one file about something else", [*plain, "files.py"]),
        *_installed("trainlint", "one small training", [*plain, training[0]]),
        *_installed("trainlint", f"{CHANGED} of them, as in a commit", [*plain, *changed]),
        *_installed("trainlint", f"{KEPT} of them, without a cache", [*plain, *training]),
        *_installed("trainlint", f"{KEPT} of them, unchanged", kept),
        *_installed("ruff", "ruff, one small training", [*plain, training[0]]),
        *_installed("ruff", f"ruff, {CHANGED} of them", [*plain, *changed]),
    ]
    for tool in found:
        tool.folder = str(folder)
    return found


def _installed(program: str, name: str, arguments: list[str]) -> list[Tool]:
    """Return a tool that is installed beside this Python, or on the path; nothing if it is not."""
    beside = Path(sys.executable).parent / program
    found = str(beside) if beside.exists() else shutil.which(program)
    return [Tool(name, [found, *arguments])] if found else []


def _ratio(ones: list[float], others: list[float]) -> float:
    """Return the median of the ratios round by round, over the rounds that both have run."""
    return statistics.median(one / other for one, other in zip(ones, others, strict=False))


def _count_lines(path: str) -> int:
    """Count the lines of a file; 0 where it cannot be read."""
    try:
        return Path(path).read_bytes().count(b"\n")
    except OSError:
        return 0


if __name__ == "__main__":
    main()
