"""The curve of a search for a learning rate, in a terminal."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

from trainlint.output.wrapping import WIDTH, fitting, wrapped

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from trainlint.runtime.lr_finder import LRReport

HEIGHT: Final = 12
_MARGIN: Final = 11
"""Before the curve, for the losses."""
_MOST: Final = 10
"""So many trials are told; of more those that are near the suggestion."""


def lines(report: LRReport, width: int = WIDTH) -> Iterator[str]:
    """Yield the curve, the suggestion and what it comes from, in lines of a width."""
    width = fitting(width)
    finite = [
        (rate, loss)
        for rate, loss in zip(report.rates, report.losses, strict=True)
        if math.isfinite(loss)
    ]
    if len(finite) > 1 and report.method == "sweep":
        yield from _curve(finite, report.suggestion, width - _MARGIN)
        yield ""
    elif report.rates:
        yield from _table(list(zip(report.rates, report.losses, strict=True)), report.start)
        yield ""
    if report.suggestion is None:
        yield "no learning rate is suggested"
    else:
        yield f"suggested learning rate: {report.suggestion:.2g}"
    if report.trials:
        begun = "" if report.start is None else f", whose loss is {report.start:.3g}"
        yield ""
        yield from wrapped(f"trained for some steps from the same weights{begun}:", width)
        yield from _table(_near(report), report.start)
        yield ""
    for one in (_told(report), *(f"note: {one}" for one in report.notes)):
        yield from wrapped(one, width)


def _told(report: LRReport) -> str:
    """Return what the method itself says, and what it took."""
    parts = []
    if report.steepest is not None:
        parts.append(f"steepest descent at {report.steepest:.2g}")
    if report.divergence is not None:
        parts.append(
            f"divergence at {report.divergence:.2g} (a third of it: {report.divergence / 3:.2g})"
        )
    start = math.inf if report.start is None else report.start
    if report.method == "divide" and math.isfinite(last := report.losses[-1]) and last <= start:
        parts.append(f"half of the largest that converges: {report.rates[-1] / 2:.2g}")
    parts.append(f"{report.steps:,} steps")
    return "; ".join(parts)


def _near(report: LRReport) -> list[tuple[float, float]]:
    """Return the trials, of many those near the suggestion."""
    trials = list(report.trials)
    if len(trials) <= _MOST:
        return trials
    place = report.suggestion or trials[0][0]
    trials.sort(key=lambda one: abs(math.log(one[0] / place)))
    return sorted(trials[:_MOST])


def _table(trials: Sequence[tuple[float, float]], start: float | None) -> Iterator[str]:
    """Yield what became of each rate."""
    for rate, loss in trials:
        said = f"{loss:.3g}" if math.isfinite(loss) else "diverges"
        if start is not None and start < loss < math.inf:
            said += " (does not fall)"
        yield f"  {f'{rate:.2g}':<8} {said}"


def _curve(
    points: list[tuple[float, float]], suggestion: float | None, width: int
) -> Iterator[str]:
    """Yield the loss over the logarithm of the rate."""
    logs = [math.log10(rate) for rate, _ in points]
    low, high = min(logs), max(logs)
    bottom = min(loss for _, loss in points)
    top = min(max(loss for _, loss in points), bottom + 2 * abs(points[0][1] - bottom) + 1e-12)
    grid = [[" "] * width for _ in range(HEIGHT)]

    def column(value: float) -> int:
        return min(max(round((value - low) / max(high - low, 1e-9) * (width - 1)), 0), width - 1)

    if suggestion:
        for row in grid:
            row[column(math.log10(suggestion))] = "┊"
    for at, (_, loss) in zip(logs, points, strict=True):
        share = (min(loss, top) - bottom) / max(top - bottom, 1e-12)
        grid[round((1 - share) * (HEIGHT - 1))][column(at)] = "●"
    for at, row in enumerate(grid):
        label = f"{top:9.3g}" if at == 0 else f"{bottom:9.3g}" if at == HEIGHT - 1 else " " * 9
        yield f"{label} │{''.join(row)}".rstrip()
    yield f"{'':9} └{'─' * width}"
    left, right = f"{10**low:.2g}", f"{10**high:.2g}"
    yield f"{'':{_MARGIN}}{left}{'learning rate':^{width - len(left) - len(right)}}{right}"
