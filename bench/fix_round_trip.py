"""Whether the fixes hold: every bad program of the corpus, fixed on a copy, and linted again.

    python bench/fix_round_trip.py [--rules] [--only WORD]

Each bad program of `accuracy/programs/` is copied, linted with the rules that are on by default and the
advice that its `expected.toml` names, and fixed as `trainlint check --fix --unsafe-fixes` does. Then it
must hold that no diagnosis with a fix is left, that no fix was refused, that every file still compiles,
and that a second run changes nothing. *Fixable* counts the diagnoses that had a fix before anything
was done, *fixed* those that were fixed (one fix may mend two diagnoses, or make another one possible),
*left* all that only a person can mend; those among them that were not seen before are listed.
"""

from __future__ import annotations

import argparse
import shutil
import tempfile
import tomllib
import warnings
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from trainlint.core.catalogue import load_catalogue
from trainlint.core.config import Config, Selection, resolve
from trainlint.static.engine import lint_files
from trainlint.static.fixer import fix_files

if TYPE_CHECKING:
    from trainlint.core.catalogue import Catalogue
    from trainlint.core.diagnosis import Diagnosis
    from trainlint.core.report import FileReport

PROGRAMS = Path(__file__).parent / "accuracy" / "programs"


@dataclass
class Result:
    """What fixing one program gave."""

    name: str
    found: Counter[str] = field(default_factory=Counter)
    fixable: Counter[str] = field(default_factory=Counter)
    fixed: Counter[str] = field(default_factory=Counter)
    left: Counter[str] = field(default_factory=Counter)
    shown: list[str] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)


def main() -> None:
    """Fix every bad program on a copy and print the table; exit with 1 where a fix does not hold."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rules", action="store_true", help="print a row for each rule, too")
    parser.add_argument(
        "--only", default="", metavar="WORD", help="only pairs with this in their names"
    )
    options = parser.parse_args()
    catalogue = load_catalogue(("trainlint.rules",))
    pairs = [one for one in sorted(PROGRAMS.iterdir()) if options.only in one.name]
    results = []
    for pair in pairs:
        with tempfile.TemporaryDirectory() as folder:
            results.append(_round_trip(pair, Path(folder) / "bad", catalogue))
    print(f"{'':44}{'found':>7}{'fixable':>9}{'fixed':>7}{'left':>6}  holds")
    for result in results:
        print(_row(result.name, result, "no" if result.failures else "yes"))
    total = Result("all")
    for result in results:
        total.found += result.found
        total.fixable += result.fixable
        total.fixed += result.fixed
        total.left += result.left
        total.shown += result.shown
        total.failures += result.failures
    holding = sum(not result.failures for result in results)
    print(_row("all", total, f"{holding} of {len(results)}"))
    for name in sorted({*total.found, *total.fixed, *total.left}) if options.rules else ():
        numbers = (one[name] for one in (total.found, total.fixable, total.fixed, total.left))
        print(f"  {name:42}{'{:>7}{:>9}{:>7}{:>6}'.format(*numbers)}")
    for title, places in (("seen after a fix only", total.shown), ("do not hold", total.failures)):
        print(f"\n{title}:" if places else "", end="\n" if places else "")
        print(*(f"  {place}" for place in places), sep="\n")
    if total.failures:
        raise SystemExit(1)


def _round_trip(pair: Path, copy: Path, catalogue: Catalogue) -> Result:
    """Fix one program on a copy, and compare what is said of it before and after."""
    shutil.copytree(pair / "bad", copy)
    with (pair / "expected.toml").open("rb") as stream:
        advice = tuple({one["rule"] for one in tomllib.load(stream).get("diagnosis", [])})
    settings = resolve(catalogue, Config(), Selection("the corpus", extend_select=advice))
    paths = sorted(str(path) for path in copy.rglob("*.py"))
    result = Result(pair.name)

    before = list(lint_files(paths, settings))
    outcome = fix_files(paths, settings, before, unsafe=True, write=True)
    after = list(lint_files(paths, settings))
    for one in _all(before):
        result.found[one.rule] += 1
        result.fixable[one.rule] += one.fix is not None
    result.fixed.update(one.rule for mended in outcome.mended for one in mended.made)
    result.left.update(one.rule for one in _all(after))

    def fail(place: str, what: str) -> None:
        result.failures.append(f"{pair.name}/{place}: {what}")

    for one in _all(after):
        if one.fix is not None:
            fail(_place(one, copy), f"{one.rule} still has a fix: {one.fix.title}")
        if result.left[one.rule] > result.found[one.rule]:
            result.shown.append(f"{pair.name}/{_place(one, copy)}: {one.rule}: {one.message}")
    for one, why in outcome.refused:
        fail(_place(one, copy), f"the fix of {one.rule} {why}")
    for report in (*before, *after):
        for failure in report.failures:
            fail(str(Path(report.path).relative_to(copy)), failure.reason)
    for path in paths:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                compile(Path(path).read_bytes(), path, "exec", dont_inherit=True)
        except SyntaxError as error:
            fail(str(Path(path).relative_to(copy)), f"does not compile: {error}")
    if fix_files(paths, settings, after, unsafe=True, write=False).mended:
        fail("", "a second run changes something again")
    return result


def _all(reports: list[FileReport]) -> list[Diagnosis]:
    """Return all diagnoses of some reports."""
    return [one for report in reports for one in report.diagnoses]


def _place(diagnosis: Diagnosis, folder: Path) -> str:
    """Return where a diagnosis stands in its program."""
    return f"{Path(diagnosis.path).relative_to(folder)}:{diagnosis.span.line}"


def _row(name: str, result: Result, holds: str) -> str:
    """Return a row of the table."""
    numbers = (one.total() for one in (result.found, result.fixable, result.fixed, result.left))
    return f"{name:44}{'{:>7}{:>9}{:>7}{:>6}'.format(*numbers)}  {holds}"


if __name__ == "__main__":
    main()
