"""The detection table: what the monitor says of small trainings, sick ones and healthy ones.

    python -m bench.detection [NAME...] [--every N]

A sick training is *diagnosed* if the rule that names its defect has spoken, *first* if nothing else
had spoken before; the step is that of the diagnosis. A healthy one has as many false alarms as there
are errors and warnings. The trainings are those of `bench/trainings`; needs torch and scikit-learn.
"""

from __future__ import annotations

import argparse
import importlib
import os
import time
from collections import Counter
from typing import TYPE_CHECKING

import torch

from bench.trainings.registry import HEALTHY, SICK
from trainlint.core.diagnosis import Severity

if TYPE_CHECKING:
    from bench.trainings.registry import Training
    from trainlint.core.diagnosis import Diagnosis


def main() -> None:
    """Run the trainings and print the two tables."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help="only these trainings")
    parser.add_argument(
        "--every", type=int, help="measure every so manieth step, not as the budget allows"
    )
    parser.add_argument("--all", action="store_true", help="show every diagnosis")
    options = parser.parse_args()
    os.environ["TRAINLINT_TRACEBACK"] = "1"
    torch.set_num_threads(1)
    for kind in ("healthy", "sick"):
        importlib.import_module(f"bench.trainings.{kind}")
    wanted = set(options.names)
    counts: Counter[str] = Counter()
    print(f"{'sick':32}{'expected':26}{'diagnosed':11}{'first':7}{'step':>5}{'within':>8}{'s':>6}")
    for one in _wanted(SICK, wanted):
        counts.update(_sick(one, every=options.every, everything=options.all))
    print(f"\n{'healthy':26}{'false alarms':13}{'steps':>6}{'s':>6}")
    for one in _wanted(HEALTHY, wanted):
        counts.update(_healthy(one, every=options.every, everything=options.all))
    print(
        f"\nsick: {counts['sick']}, diagnosed {counts['diagnosed']}, first {counts['first']}, in time"
        f" {counts['in time']}; healthy: {counts['healthy']}, with alarms {counts['alarmed']}"
    )


def _wanted(trainings: dict[str, Training], names: set[str]) -> list[Training]:
    """Return the trainings of those names, all where none is named."""
    return [one for one in trainings.values() if not names or one.name in names]


def said(diagnoses: tuple[Diagnosis, ...], *expected: str) -> list[Diagnosis]:
    """Return the diagnoses that are more than advice, or of the rule that is expected."""
    return [one for one in diagnoses if one.severity is not Severity.ADVICE or one.rule in expected]


def _sick(training: Training, *, every: int | None, everything: bool) -> list[str]:
    """Run a sick training and print its row; returns what of it succeeded."""
    start = time.perf_counter()
    monitor = training.run(every)
    seconds = time.perf_counter() - start
    right = (training.diagnosis, training.other)
    found = said(monitor.diagnoses, *right)
    own = [one for one in found if one.rule in right]
    step = own[0].moment.step if own and own[0].moment is not None else 0
    is_first = bool(found) and found[0].rule in right
    print(
        f"{training.name:32}{training.diagnosis:26}{'yes' if own else 'NO':11}"
        f"{'yes' if is_first else 'NO':7}{step or '-':>5}{training.within:>8}{seconds:6.1f}"
    )
    if everything or not is_first:
        _show(found)
    succeeded = {
        "sick": True,
        "diagnosed": bool(own),
        "first": is_first,
        "in time": bool(own) and step <= training.within,
    }
    return [name for name, is_so in succeeded.items() if is_so]


def _healthy(training: Training, *, every: int | None, everything: bool) -> list[str]:
    """Run a healthy training and print its row; returns what happened."""
    start = time.perf_counter()
    monitor = training.run(every)
    seconds = time.perf_counter() - start
    found = said(monitor.diagnoses)
    print(f"{training.name:26}{len(found) or '-':<13}{monitor.step:>6}{seconds:6.1f}")
    if everything or found:
        _show(found)
    return ["healthy", *(["alarmed"] if found else [])]


def _show(diagnoses: list[Diagnosis]) -> None:
    """Print diagnoses, one a line."""
    for one in diagnoses:
        step = 0 if one.moment is None else one.moment.step
        print(f"    step {step}: {one.code} {one.rule} {one.path}:{one.span.line}: {one.message}")


if __name__ == "__main__":
    main()
