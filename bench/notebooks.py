"""What it costs to lint notebooks, beside linting their cells as Python files.

    python bench/notebooks.py FOLDER... [--rounds 5]

The code cells of every notebook in the folders are written to a `.py` file, without what only IPython
understands. Both are linted in this process, in turn, file by file; ``ratio`` is the median of the
ratios round by round. ``MB`` is the size of the notebooks with all their outputs. Both ways say the
same; the row ends with the number of notebooks of which they do not, as where a cell ends with a
value: a notebook shows it, a file throws it away.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from pathlib import Path

from trainlint.core.catalogue import load_catalogue
from trainlint.core.config import Config, Selection, Settings, resolve
from trainlint.static.engine import lint_file
from trainlint.static.source import SourceError, SourceFile


def main() -> None:
    """Read the command line and print a row for each folder, and one for all notebooks."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("folders", nargs="+", metavar="FOLDER")
    parser.add_argument("--rounds", type=int, default=5, help="counted runs of each way (5)")
    options = parser.parse_args()
    settings = resolve(load_catalogue(), Config(), Selection("the command line"))
    header = ("", "notebooks", "MB", "lines", "as .py s", "notebook s", "ratio")
    print("{:28}{:>10}{:>8}{:>8}{:>10}{:>12}{:>8}".format(*header))
    with tempfile.TemporaryDirectory() as folder:
        pairs: list[tuple[str, str]] = []
        for name in options.folders:
            mine = list(_pairs(Path(name), Path(folder), len(pairs)))
            pairs += mine
            _row(name[-27:], mine, settings, options.rounds)
        if len(options.folders) > 1:
            _row("all", pairs, settings, options.rounds)


def _pairs(folder: Path, target: Path, number: int) -> list[tuple[str, str]]:
    """Write the cells of each notebook of a folder to a file; return the paths of both."""
    pairs: list[tuple[str, str]] = []
    for path in sorted(folder.rglob("*.ipynb") if folder.is_dir() else [folder]):
        try:
            source = SourceFile.read(str(path))
        except SourceError as error:
            print(f"left out: {error}")
            continue
        twin = target / f"{number + len(pairs)}.py"
        twin.write_text(source.parsed, encoding="utf-8")
        pairs.append((str(path), str(twin)))
    return pairs


def _row(name: str, pairs: list[tuple[str, str]], settings: Settings, rounds: int) -> None:
    """Print what linting notebooks and their twins costs."""
    if not pairs:
        print(f"{name:28}{0:>10}")
        return
    plain: list[float] = []
    notebook: list[float] = []
    differ = 0
    for _ in range(rounds + 1):
        seconds, said = _run([twin for _, twin in pairs], settings)
        plain.append(seconds)
        seconds, found = _run([path for path, _ in pairs], settings)
        notebook.append(seconds)
        differ = sum(one != other for one, other in zip(said, found, strict=True))
    # The first round reads the rules and warms the caches of the disk.
    ratio = statistics.median(b / a for a, b in zip(plain[1:], notebook[1:], strict=True))
    size = sum(Path(path).stat().st_size for path, _ in pairs) / 1e6
    lines = sum(Path(twin).read_text(encoding="utf-8").count("\n") for _, twin in pairs)
    print(
        f"{name:28}{len(pairs):>10}{size:>8.1f}{lines:>8}{statistics.median(plain[1:]):>10.3f}"
        f"{statistics.median(notebook[1:]):>12.3f}{ratio:>8.2f}"
        + (f"  {differ} differ" if differ else "")
    )


def _run(paths: list[str], settings: Settings) -> tuple[float, list[list[tuple[str, int, int]]]]:
    """Lint files; return the seconds of processor time, and what is said of each."""
    found = []
    started = time.process_time()
    for path in paths:
        report = lint_file(path, settings)
        found.append([(one.rule, one.span.line, one.span.column) for one in report.diagnoses])
    return time.process_time() - started, found


if __name__ == "__main__":
    main()
