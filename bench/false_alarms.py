"""The false-alarm watch: what the linter says of real projects, as a table to judge.

    python bench/false_alarms.py FOLDER... [--select RULES] [--judged FILE.toml] [--all]

Every folder is linted as a project of its own. The first table counts lines and diagnoses; the second
has a row for each diagnosis, with its line of code, to be read and judged. A judgement is kept as

    [[judged]]
    rule = "clip-without-unscale"
    place = "examples/distributed/trainer.py"   # how the path ends
    code = "clip_grad_norm_(self.model"         # what its line holds
    verdict = "true"                            # true, false or debatable
    why = "clips before unscale_"

in the file of ``--judged``; rows that it covers are counted by verdict and left out of the table unless
``--all`` is given. Judgements name code, not line numbers, so that they survive a project's next version.
"""

from __future__ import annotations

import argparse
import tomllib
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from trainlint.core.catalogue import load_catalogue
from trainlint.core.config import Config, Selection, resolve
from trainlint.core.diagnosis import Severity
from trainlint.static.discovery import discover
from trainlint.static.engine import lint_files

if TYPE_CHECKING:
    from trainlint.core.diagnosis import Diagnosis

_NOT_READ = "not judged"


def main() -> None:
    """Lint the folders and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("folders", nargs="+", metavar="FOLDER")
    parser.add_argument("--select", default="", help="rules, as for `trainlint check`")
    parser.add_argument("--judged", metavar="FILE", help="what has been judged before")
    parser.add_argument("--all", action="store_true", help="show what has been judged, too")
    options = parser.parse_args()
    selected = tuple(filter(None, options.select.split(","))) or None
    settings = resolve(load_catalogue(), Config(), Selection("the command line", selected))
    judged = _read(options.judged)
    rows: list[tuple[Diagnosis, str, str]] = []
    total = 0
    print(f"{'':32}{'files':>7}{'lines':>11}{'diagnoses':>11}{'per 1,000 lines':>17}")
    for folder in options.folders:
        paths = [one for one in discover([folder], lambda _: settings) if isinstance(one, str)]
        lines = sum(_count_lines(path) for path in paths)
        found = [
            (one, report.lines.get(one.span.line, "").strip())
            for report in lint_files(paths, settings)
            for one in report.diagnoses
        ]
        rows += [(one, code, _verdict(one, code, judged)) for one, code in found]
        total += lines
        _print_count(folder[-31:], len(paths), lines, len(found))
    _print_count("all", 0, total, len(rows))
    _print_verdicts(rows)
    shown = [row for row in rows if options.all or row[2] == _NOT_READ]
    for diagnosis, code, verdict in sorted(shown, key=lambda row: (row[0].code, row[0].position)):
        place = f"{diagnosis.path}:{diagnosis.span.line}"
        print(f"{verdict:11} {diagnosis.code} {diagnosis.rule:32} {place}\n{'':11} {code[:120]}")


def _read(path: str | None) -> list[dict[str, Any]]:
    """Return the judgements of a file."""
    if path is None:
        return []
    with Path(path).open("rb") as stream:
        judged: list[dict[str, Any]] = tomllib.load(stream).get("judged", [])
    return judged


def _verdict(diagnosis: Diagnosis, code: str, judged: list[dict[str, Any]]) -> str:
    """Return what was judged of a diagnosis before."""
    for one in judged:
        if (
            one["rule"] == diagnosis.rule
            and diagnosis.path.endswith(one["place"])
            and one["code"] in code
        ):
            return str(one["verdict"])
    return _NOT_READ


def _print_count(name: str, files: int, lines: int, found: int) -> None:
    """Print a row of the first table."""
    per_thousand = 1000 * found / lines if lines else 0.0
    print(f"{name:32}{files or '':>7}{lines:>11,}{found:>11}{per_thousand:>17.3f}")


def _print_verdicts(rows: list[tuple[Diagnosis, str, str]]) -> None:
    """Print how many diagnoses of each severity were judged how."""
    counts = Counter((one.severity, verdict) for one, _, verdict in rows)
    verdicts = sorted({verdict for _, verdict in counts})
    print(f"\n{'':12}" + "".join(f"{verdict:>12}" for verdict in verdicts))
    for severity in Severity:
        cells = "".join(f"{counts[severity, verdict]:>12}" for verdict in verdicts)
        print(f"{severity:12}{cells}")
    print()


def _count_lines(path: str) -> int:
    """Count the lines of a file; 0 where it cannot be read."""
    try:
        return Path(path).read_bytes().count(b"\n")
    except OSError:
        return 0


if __name__ == "__main__":
    main()
