"""Whether a fixed program trains as well as one that a person has mended.

    python bench/fix_trains.py --python PYTHON [--only WORD]... [--steps 100] [--seconds 20]
                               [--kept FOLDER [--stop-after SECONDS]]

Every bad program of `accuracy/programs/` is fixed on a copy, as `trainlint check --fix --unsafe-fixes`
does with all that its `expected.toml` names. Then the bad, the fixed and the mended one are run by a
Python that has torch, with the same made-up data and seeds, for so many steps (calls of `backward`) or
seconds of the processor. The *fixed* one trains as well as the *mended* one if it comes to the same kind
of end, and the mean of its last losses is finite and no more than a tenth of what the mended one has
gained, or what two such means differ by chance (twice their standard error), above that of the mended
one. What cannot run says what it needs: a package, data that nobody has made up here, or more time.

All of it takes more than an hour. With a folder for what is `--kept`, a run that was stopped, or that
stops itself, goes on where it was when it is started again; a program that was changed runs again, and
one whose outcome is deleted from the folder.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import math
import re
import shutil
import statistics
import subprocess
import tempfile
import time
import tomllib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from trainlint.core.catalogue import load_catalogue
from trainlint.core.config import Config, Selection, resolve
from trainlint.static.engine import lint_files
from trainlint.static.fixer import fix_files

if TYPE_CHECKING:
    from trainlint.core.catalogue import Catalogue

HERE: Final = Path(__file__).parent
PROGRAMS: Final = HERE / "accuracy" / "programs"
_SHARE: Final = 0.1
_LAST: Final = 20
_OWN_ENDS: Final = ("finished", "stopped")


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a run ended."""

    end: str
    losses: tuple[float, ...]

    @property
    def ran(self) -> bool:
        """Whether the program made steps, or came to an end of its own."""
        return self.end in _OWN_ENDS and bool(self.losses)

    @property
    def first(self) -> float:
        """The mean of the first losses."""
        some = self.losses[:_LAST]
        return sum(some) / len(some)

    @property
    def last(self) -> float:
        """The mean of the last losses."""
        some = self.losses[-_LAST:]
        return sum(some) / len(some)

    def is_as_good_as(self, other: Outcome) -> bool:
        """Say whether this training comes as far as another one in the steps that both have made."""
        steps = min(len(self.losses), len(other.losses))
        if steps < min(len(other.losses), _LAST) or not self.ran:
            return False
        mine, theirs = (Outcome(one.end, one.losses[:steps]) for one in (self, other))
        scale = max(abs(theirs.first - theirs.last), 0.1 * abs(theirs.last), 1e-3)
        some = theirs.losses[-_LAST:]
        chance = 2 * math.sqrt(2 * statistics.pvariance(some) / len(some))
        return math.isfinite(mine.last) and mine.last <= theirs.last + max(_SHARE * scale, chance)

    def __str__(self) -> str:
        """Return what the table shows."""
        if not self.losses:
            return "-"
        return f"{self.last:.4g}"


def main() -> None:
    """Run all pairs and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--python", required=True, help="a Python that has torch and numpy")
    parser.add_argument(
        "--only", action="append", metavar="WORD", help="only pairs with this in their names"
    )
    parser.add_argument("--steps", type=int, default=100)
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--jobs", type=int, default=2, help="programs at a time (2)")
    parser.add_argument("--kept", type=Path, metavar="FOLDER", help="where outcomes are kept")
    parser.add_argument(
        "--stop-after", type=float, default=math.inf, metavar="SECONDS", help="begin no pair then"
    )
    options = parser.parse_args()
    if options.kept:
        options.kept.mkdir(parents=True, exist_ok=True)
    deadline = time.monotonic() + options.stop_after
    catalogue = load_catalogue(("trainlint.rules",))
    words = options.only or [""]
    pairs = [one for one in sorted(PROGRAMS.iterdir()) if any(word in one.name for word in words)]
    print(f"{'':28}{'bad':>12}{'fixed':>12}{'mended':>12}  fixed as good as mended")
    ran, good, bad_good, not_yet = 0, 0, 0, 0
    left: dict[str, list[str]] = {}
    with tempfile.TemporaryDirectory() as scratch:
        data = Path(scratch) / "data"
        data.mkdir()
        subprocess.run([options.python, str(HERE.resolve() / "made_up.py")], cwd=data, check=True)

        runners = [_Runner(data, options) for _ in range(options.jobs)]

        def outcomes(pair: Path) -> tuple[Outcome, ...]:
            if time.monotonic() > deadline:
                return ()
            runner = runners.pop()
            try:
                mended = runner.run(pair / "mended", pair.name)
                if not mended.ran or len(mended.losses) < _LAST:
                    return (mended,)
                fixed = Path(scratch) / pair.name / "fixed"
                left[pair.name] = _fix(pair, fixed, catalogue)
                others = [runner.run(one, pair.name) for one in (pair / "bad", fixed)]
            finally:
                runners.append(runner)
            return (mended, *others)

        with ThreadPoolExecutor(options.jobs) as pool:
            for pair, ends in zip(pairs, pool.map(outcomes, pairs), strict=True):
                if not ends:
                    not_yet += 1
                    continue
                mended, *others = ends
                if not others:
                    steps = len(mended.losses)
                    why = f"makes only {steps} steps" if mended.end in _OWN_ENDS else mended.end
                    print(f"{pair.name:28}{'':36}  could not run: {why}", flush=True)
                    continue
                bad, now = others
                ran += 1
                is_good = now.is_as_good_as(mended)
                good += is_good
                bad_good += bad.is_as_good_as(mended)
                said = "yes" if is_good else f"no ({now.end})"
                if left[pair.name]:
                    said += f"; left to a person: {', '.join(left[pair.name])}"
                print(f"{pair.name:28}{bad!s:>12}{now!s:>12}{mended!s:>12}  {said}", flush=True)
    print(
        f"\n{good} of {ran} fixed programs train as well as the mended ones, of the bad ones"
        f" {bad_good}; {len(pairs) - not_yet - ran} of {len(pairs)} pairs could not run here"
    )
    if not_yet:
        msg = f"{not_yet} pairs are left; the same command goes on with them"
        raise SystemExit(msg)


def _fix(pair: Path, copy: Path, catalogue: Catalogue) -> list[str]:
    """Make all fixes of the bad program of a pair on a copy; return the rules that have more to say."""
    shutil.copytree(pair / "bad", copy)
    with (pair / "expected.toml").open("rb") as stream:
        advice = tuple({one["rule"] for one in tomllib.load(stream).get("diagnosis", [])})
    settings = resolve(catalogue, Config(), Selection("the corpus", extend_select=advice))
    paths = sorted(str(path) for path in copy.rglob("*.py"))
    before = list(lint_files(paths, settings))
    outcome = fix_files(paths, settings, before, unsafe=True, write=True)
    return sorted({one.rule for report in outcome.reports for one in report.diagnoses})


class _Runner:
    """A process that runs programs, each in a folder of its own that holds the data."""

    def __init__(self, data: Path, options: argparse.Namespace) -> None:
        self._data = data
        self._options = options
        self._process: subprocess.Popen[str] | None = None

    def run(self, folder: Path, name: str) -> Outcome:
        """Run a program, unless it is known from before how it ends."""
        kept = None
        if self._options.kept:
            asked = hashlib.sha256(f"{self._options.steps} {self._options.seconds}".encode())
            for path in sorted(folder.rglob("*.py")):
                asked.update(path.read_bytes())
            kept = self._options.kept / f"{name}-{folder.name}-{asked.hexdigest()[:16]}.json"
            if kept.exists():
                said = json.loads(kept.read_text())
                return Outcome(said["end"], tuple(said["losses"]))
        outcome = self._run(folder, name)
        if kept is not None:
            kept.write_text(json.dumps({"end": outcome.end, "losses": outcome.losses}))
        return outcome

    def _run(self, folder: Path, name: str) -> Outcome:
        """Run a program."""
        with tempfile.TemporaryDirectory() as scratch:
            place = Path(scratch) / "here"
            shutil.copytree(self._data, place)
            outcome = Path(scratch) / "outcome.json"
            job = [str(outcome), str(place), str(_entrance(folder.resolve())), name]
            process = self._started()
            assert process.stdin is not None
            assert process.stdout is not None
            process.stdin.write(f"{json.dumps(job)}\n")
            process.stdin.flush()
            process.stdout.readline()
            if not outcome.exists():
                return Outcome("takes too long, or ended without a word", ())
            said = json.loads(outcome.read_text())
            return Outcome(said["end"], tuple(said["losses"]))

    def _started(self) -> subprocess.Popen[str]:
        """Start the process, or return it."""
        if self._process is None:
            options = self._options
            self._process = subprocess.Popen(
                [
                    options.python,
                    str((HERE / "run_program.py").resolve()),
                    str(options.steps),
                    str(options.seconds),
                ],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                text=True,
            )
        return self._process


def _entrance(folder: Path) -> Path:
    """Return the file of a program with which it starts."""
    files = sorted(folder.rglob("*.py"))
    for path in files:
        if "__main__" in path.read_text(encoding="utf-8"):
            return path
    imported = " ".join(path.read_text(encoding="utf-8") for path in files)
    top = [path for path in files if path.parent == folder]
    used = re.compile(r"^\s*(?:import|from) \.?(\w+)", re.MULTILINE).findall(imported)
    return next((path for path in top if path.stem not in used), files[0])


if __name__ == "__main__":
    main()
