"""Recall and precision over a corpus of programs in pairs, bad and mended.

    python bench/accuracy/run.py [--rules] [--only WORD]

Every folder of `programs/` is a pair: `bad/`, `mended/`, and `expected.toml`, which lists what is
wrong with the bad program: the rule, the file, and a line to which a reader would point. The programs
were written from the descriptions of the catalogue, before anybody saw what the linter says of them.

Each program is linted as a project of its own, with the rules that are on by default and the advice
that its `expected.toml` names. A diagnosis of a bad program is *right* if one of its places (the marked
one or a related one) is on an expected line of that rule (`line` is a number, or a list of the lines
that take part in the defect alike); several of one rule that share such a line, or that stand in the
same statement, count once. What else the linter says of a bad program, and all it says of a mended one,
is *wrong*, unless `expected.toml` lists it under `[[accepted]]` with the reason why it is true.
"""

from __future__ import annotations

import argparse
import tomllib
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from trainlint.core.catalogue import load_catalogue
from trainlint.core.config import Config, Selection, resolve
from trainlint.core.diagnosis import Severity
from trainlint.static.engine import lint_files

if TYPE_CHECKING:
    from trainlint.core.catalogue import Catalogue
    from trainlint.core.diagnosis import Diagnosis

PROGRAMS = Path(__file__).parent / "programs"


@dataclass
class Score:
    """How often something was found, missed, and said wrongly."""

    found: Counter[str] = field(default_factory=Counter)
    missed: Counter[str] = field(default_factory=Counter)
    wrong: Counter[str] = field(default_factory=Counter)
    misses: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)


def main() -> None:
    """Lint the corpus and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rules", action="store_true", help="print a row for each rule, too")
    parser.add_argument(
        "--only", default="", metavar="WORD", help="only pairs with this in their names"
    )
    options = parser.parse_args()
    catalogue = load_catalogue(("trainlint.rules",))
    pairs = [one for one in sorted(PROGRAMS.iterdir()) if options.only in one.name]
    score = Score()
    lines = 0
    for pair in pairs:
        lines += sum(len(path.read_bytes().splitlines()) for path in pair.rglob("*.py"))
        _judge(pair, catalogue, score)
    print(f"{len(pairs)} pairs, {2 * len(pairs)} programs, {lines:,} lines of Python\n")
    names = sorted({*score.found, *score.missed, *score.wrong})
    print(f"{'':40}{'expected':>9}{'found':>7}{'missed':>8}{'wrong':>7}")
    for severity in Severity:
        of_it = [name for name in names if _severity(catalogue, name) == severity]
        _print_row(severity.value, of_it, score)
    _print_row("all", names, score)
    for name in names if options.rules else ():
        _print_row(f"  {name}", [name], score)
    found, missed, wrong = (sum(one.values()) for one in (score.found, score.missed, score.wrong))
    print(f"\nrecall {found / (found + missed):.3f}, precision {found / (found + wrong):.3f}")
    for title, places in (("missed", score.misses), ("wrong", score.errors)):
        print(f"\n{title}:" if places else "", end="\n" if places else "")
        print(*(f"  {place}" for place in places), sep="\n")


def _judge(pair: Path, catalogue: Catalogue, score: Score) -> None:
    """Compare what the linter says of a pair with what is expected."""
    with (pair / "expected.toml").open("rb") as stream:
        said: dict[str, Any] = tomllib.load(stream)
    expected = said.get("diagnosis", [])
    accepted = {
        (one["side"], one["rule"], one["file"], one["line"]) for one in said.get("accepted", [])
    }
    advice = tuple({one["rule"] for one in expected})
    bad = _lint(pair / "bad", catalogue, advice)
    taken: set[int] = set()
    for one in expected:
        key = f"{pair.name}/bad/{one['file']}:{_lines(one)[0]} {one['rule']}"
        hits = [
            number
            for number, diagnosis in enumerate(bad)
            if diagnosis.rule == one["rule"] and _touches(diagnosis, pair / "bad", one)
        ]
        taken.update(hits)
        if hits:
            score.found[one["rule"]] += 1
        else:
            score.missed[one["rule"]] += 1
            score.misses.append(key)
    extra = [("bad", one) for number, one in enumerate(bad) if number not in taken]
    extra += [("mended", one) for one in _lint(pair / "mended", catalogue, advice)]
    for side, one in extra:
        file = str(Path(one.path).relative_to(pair / side))
        if (side, one.rule, file, one.span.line) not in accepted:
            score.wrong[one.rule] += 1
            score.errors.append(
                f"{pair.name}/{side}/{file}:{one.span.line} {one.rule}: {one.message}"
            )


def _lint(folder: Path, catalogue: Catalogue, advice: tuple[str, ...]) -> list[Diagnosis]:
    """Return the diagnoses of a program; what cannot be linted ends the run."""
    settings = resolve(catalogue, Config(), Selection("the corpus", extend_select=advice))
    paths = sorted(str(path) for path in folder.rglob("*.py"))
    found = []
    for report in lint_files(paths, settings):
        if report.failures:
            raise SystemExit(str(report.failures[0]))
        found += report.diagnoses
    return found


def _touches(diagnosis: Diagnosis, folder: Path, expected: dict[str, Any]) -> bool:
    """Say whether a place of a diagnosis is on the line that is expected."""
    wanted = str(folder / expected["file"])
    places = [(diagnosis.path, diagnosis.span)]
    places += [(one.path or diagnosis.path, one.span) for one in diagnosis.related]
    return any(
        path == wanted and span.line <= line <= span.end_line
        for path, span in places
        for line in _lines(expected)
    )


def _lines(expected: dict[str, Any]) -> list[int]:
    """Return the lines to which a reader would point, one of which is enough."""
    line: int | list[int] = expected["line"]
    return line if isinstance(line, list) else [line]


def _severity(catalogue: Catalogue, name: str) -> Severity | None:
    """Return the severity of a rule; None of one that is not there yet."""
    rule = catalogue.find(name)
    return None if rule is None else rule.severity


def _print_row(title: str, names: list[str], score: Score) -> None:
    """Print the counts of some rules together."""
    found, missed, wrong = (
        sum(counter[name] for name in names) for counter in (score.found, score.missed, score.wrong)
    )
    print(f"{title:40}{found + missed:>9}{found:>7}{missed:>8}{wrong:>7}")


if __name__ == "__main__":
    main()
