"""What it costs to lint files as one project, beside linting the same files one by one.

    python bench/across_files.py FOLDER... [--rounds 7]

Both ways lint the Python files of each folder in this process, turn and turn about, after one run of
each that does not count. A row gives the least processor time of each way, which other work on the
machine disturbs least, and three ratios: of these two, the median of the ratios round by round, and
the same by the clock. ``calls`` is the ratio of the calls of functions that both ways make, counted in a
run of its own: nothing disturbs it, but it knows neither caches nor the scanning of text. The summary
is the median and the worst of the first ratio.

As a project, imports between the files are followed, so that a diagnosis may hang on two of them;
``more`` is how many diagnoses that adds, ``fewer`` how many it takes away.
"""

from __future__ import annotations

import argparse
import cProfile
import os
import statistics
import time
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from trainlint.core.catalogue import load_catalogue
from trainlint.core.config import Config, Selection, Settings, resolve
from trainlint.static.engine import lint_files

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trainlint.core.diagnosis import Diagnosis
    from trainlint.core.report import FileReport


class Run(NamedTuple):
    """One run over all files: seconds of processor time, seconds by the clock, what was found."""

    processor: float
    clock: float
    found: frozenset[Diagnosis]


def main() -> None:
    """Read the command line and print a row for each folder."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("folders", nargs="+", metavar="FOLDER")
    parser.add_argument("--rounds", type=int, default=7, help="counted runs of each way (7)")
    parser.add_argument("--select", default="", help="rules, as for `trainlint check`")
    options = parser.parse_args()
    os.environ["TRAINLINT_JOBS"] = "1"
    selection = Selection(
        "the command line", tuple(filter(None, options.select.split(","))) or None
    )
    settings = resolve(load_catalogue(), Config(), selection)
    header = ("", "files", "one by one s", "project s", "ratio", "rounds", "clock", "calls")
    print(("{:28}{:>7}{:>14}{:>11}" + "{:>8}" * 4 + "{:>6}{:>7}").format(*header, "more", "fewer"))
    ratios = []
    for folder in options.folders:
        paths = [str(path) for path in sorted(Path(folder).rglob("*.py"))]
        alone, together = _rounds(paths, settings, options.rounds)
        one_by_one = min(run.processor for run in alone)
        project = min(run.processor for run in together)
        by_round = [b.processor / a.processor for a, b in zip(alone, together, strict=True)]
        by_clock = [b.clock / a.clock for a, b in zip(alone, together, strict=True)]
        by_calls = _calls(paths, settings, project=True) / _calls(paths, settings, project=False)
        ratios.append(project / one_by_one)
        before, after = alone[0].found, together[0].found
        print(
            f"{folder[-27:]:28}{len(paths):>7}{one_by_one:>14.2f}{project:>11.2f}"
            f"{ratios[-1]:>8.2f}{statistics.median(by_round):>8.2f}"
            f"{statistics.median(by_clock):>8.2f}{by_calls:>8.2f}"
            f"{len(after - before):>6}{len(before - after):>7}",
            flush=True,
        )
    print(f"\nratio over all folders: median {statistics.median(ratios):.2f}, ", end="")
    print(f"worst {max(ratios):.2f}")


def _rounds(paths: list[str], settings: Settings, rounds: int) -> tuple[list[Run], list[Run]]:
    """Lint the files in both ways, each first in every other round; return the runs that count."""
    found: dict[bool, list[Run]] = {False: [], True: []}
    for number in range(rounds + 1):
        for project in (False, True) if number % 2 else (True, False):
            run = _run(paths, settings, project=project)
            if number:
                found[project].append(run)
    return found[False], found[True]


def _run(paths: list[str], settings: Settings, *, project: bool) -> Run:
    """Lint the files once."""
    found: set[Diagnosis] = set()
    processor, clock = time.process_time(), time.perf_counter()
    for report in _reports(paths, settings, project=project):
        found.update(report.diagnoses)
    return Run(time.process_time() - processor, time.perf_counter() - clock, frozenset(found))


def _calls(paths: list[str], settings: Settings, *, project: bool) -> int:
    """Lint the files once; return how often functions are called."""
    profile = cProfile.Profile()
    profile.enable()
    for _ in _reports(paths, settings, project=project):
        pass
    profile.disable()
    return sum(one.callcount for one in profile.getstats())


def _reports(paths: list[str], settings: Settings, *, project: bool) -> Iterator[FileReport]:
    """Yield the reports of the files, as one project or one by one."""
    for run in [paths] if project else [[path] for path in paths]:
        yield from lint_files(run, settings)


if __name__ == "__main__":
    main()
