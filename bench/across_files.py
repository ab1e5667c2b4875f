"""What it costs to lint files as one project, beside linting the same files one by one.

    python bench/across_files.py FOLDER... [--rounds 3]

Both ways lint the Python files of each folder in this process, in turn; the ratio is the median of
the ratios round by round. As a project, imports between the files are followed, so that a diagnosis
may hang on two of them; ``more`` is how many diagnoses that adds, ``fewer`` how many it takes away.
"""

from __future__ import annotations

import argparse
import os
import statistics
import time
from pathlib import Path
from typing import TYPE_CHECKING

from trainlint.core.catalogue import load_catalogue
from trainlint.core.config import Config, Selection, Settings, resolve
from trainlint.static.engine import lint_files

if TYPE_CHECKING:
    from trainlint.core.diagnosis import Diagnosis


def main() -> None:
    """Read the command line and print a row for each folder."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("folders", nargs="+", metavar="FOLDER")
    parser.add_argument("--rounds", type=int, default=3, help="counted runs of each way (3)")
    parser.add_argument("--select", default="", help="rules, as for `trainlint check`")
    options = parser.parse_args()
    os.environ["TRAINLINT_JOBS"] = "1"
    selection = Selection(
        "the command line", tuple(filter(None, options.select.split(","))) or None
    )
    settings = resolve(load_catalogue(), Config(), selection)
    header = ("", "files", "one by one s", "project s", "ratio", "more", "fewer")
    print("{:28}{:>8}{:>14}{:>12}{:>8}{:>7}{:>7}".format(*header))
    ratios = []
    for folder in options.folders:
        paths = [str(path) for path in sorted(Path(folder).rglob("*.py"))]
        alone, together = [], []
        for _ in range(options.rounds):
            seconds, before = _run(paths, settings, project=False)
            alone.append(seconds)
            seconds, after = _run(paths, settings, project=True)
            together.append(seconds)
        ratio = statistics.median(b / a for a, b in zip(alone, together, strict=True))
        ratios.append(ratio)
        print(
            f"{folder[-27:]:28}{len(paths):>8}{statistics.median(alone):>14.2f}"
            f"{statistics.median(together):>12.2f}{ratio:>8.2f}"
            f"{len(after - before):>7}{len(before - after):>7}"
        )
    print(f"\nratio over all folders, median: {statistics.median(ratios):.2f}")


def _run(paths: list[str], settings: Settings, *, project: bool) -> tuple[float, set[Diagnosis]]:
    """Lint the files; return the seconds of processor time and the diagnoses."""
    found: set[Diagnosis] = set()
    started = time.process_time()
    for run in [paths] if project else [[path] for path in paths]:
        for report in lint_files(run, settings):
            found.update(report.diagnoses)
    return time.process_time() - started, found


if __name__ == "__main__":
    main()
