"""The curve of a search for a learning rate, in a terminal."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trainlint.runtime.lr_finder import LRReport

WIDTH: Final = 72
HEIGHT: Final = 12
_MANY: Final = 5


def lines(report: LRReport) -> Iterator[str]:
    """Yield the curve and the suggestion."""
    finite = [
        (rate, loss)
        for rate, loss in zip(report.rates, report.losses, strict=True)
        if math.isfinite(loss)
    ]
    if len(finite) > 1:
        yield from _curve(finite, report.suggestion)
        yield ""
    else:
        for rate, loss in zip(report.rates, report.losses, strict=True):
            yield f"  {rate:<10.3g} {'diverges' if not math.isfinite(loss) else f'{loss:.4g}'}"
    if report.suggestion is not None:
        yield f"suggested learning rate: {report.suggestion:.2g}"
    if report.trials:
        yield f"from the same weights the loss {_trials(report)}"
    parts = []
    if report.steepest is not None:
        parts.append(f"steepest descent at {report.steepest:.2g}")
    if report.divergence is not None:
        parts.append(
            f"divergence at {report.divergence:.2g} (a third of it: {report.divergence / 3:.2g})"
        )
    if report.method == "divide" and math.isfinite(report.losses[-1]):
        parts.append(f"half of the largest that converges: {report.rates[-1] / 2:.2g}")
    parts.append(f"{report.steps:,} steps")
    yield "; ".join(parts)
    for note in report.notes:
        yield f"note: {note}"


def _trials(report: LRReport) -> str:
    """Return what became of the trainings from the same weights."""
    start = math.inf if report.start is None else report.start
    fell = [f"{loss:.3g} at {rate:.2g}" for rate, loss in report.trials if loss <= start]
    stayed = [rate for rate, loss in report.trials if start < loss < math.inf]
    over = [rate for rate, loss in report.trials if not math.isfinite(loss)]
    parts = []
    if fell:
        begun = "" if math.isinf(start) else f" from {start:.3g}"
        parts.append(f"falls{begun} to {', '.join(fell)}")
    if stayed:
        parts.append(f"does not fall at {_rates(stayed)}")
    if over:
        parts.append(f"diverges at {_rates(over)}")
    return " and ".join((", ".join(parts[:-1]), parts[-1])) if len(parts) > 1 else "".join(parts)


def _rates(rates: list[float]) -> str:
    """Return some rates; of many the first and the last."""
    told = [f"{one:.2g}" for one in rates]
    return ", ".join(told) if len(told) < _MANY else f"{told[0]} to {told[-1]} ({len(told)} rates)"


def _curve(points: list[tuple[float, float]], suggestion: float | None) -> Iterator[str]:
    """Yield the loss over the logarithm of the rate."""
    logs = [math.log10(rate) for rate, _ in points]
    low, high = min(logs), max(logs)
    bottom = min(loss for _, loss in points)
    top = min(max(loss for _, loss in points), bottom + 2 * abs(points[0][1] - bottom) + 1e-12)
    grid = [[" "] * WIDTH for _ in range(HEIGHT)]

    def column(value: float) -> int:
        return min(max(round((value - low) / max(high - low, 1e-9) * (WIDTH - 1)), 0), WIDTH - 1)

    if suggestion:
        for row in grid:
            row[column(math.log10(suggestion))] = "┊"
    for at, (_, loss) in zip(logs, points, strict=True):
        share = (min(loss, top) - bottom) / max(top - bottom, 1e-12)
        grid[round((1 - share) * (HEIGHT - 1))][column(at)] = "●"
    for at, row in enumerate(grid):
        label = f"{top:9.3g}" if at == 0 else f"{bottom:9.3g}" if at == HEIGHT - 1 else " " * 9
        yield f"{label} │{''.join(row)}".rstrip()
    yield f"{'':9} └{'─' * WIDTH}"
    left, right = f"{10**low:.1g}", f"{10**high:.1g}"
    yield f"{'':11}{left}{right:>{WIDTH - len(left)}}  learning rate"
