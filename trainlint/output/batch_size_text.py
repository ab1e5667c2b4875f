"""What a search for a batch size has found, in a terminal."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

from trainlint.output.wrapping import WIDTH, fitting, wrapped

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trainlint.runtime.trials.batch_size_report import BatchSizeReport, NoiseScale

_ROWS: Final = 12
_CLEAR: Final = 2
"""The scale says where the use of a larger batch fades, which it does over a factor of this and more."""


def lines(report: BatchSizeReport, width: int = WIDTH) -> Iterator[str]:
    """Yield what fits, what is useful, and what the craft says, in lines of a width."""
    for line in _lines(report):
        yield from wrapped(line, fitting(width))


def _lines(report: BatchSizeReport) -> Iterator[str]:
    """Yield a line for each thing that is said."""
    yield from _table(report)
    if report.largest is None:
        yield "not even one example fits into memory"
    else:
        failed = [one for one, took in zip(report.sizes, report.seconds, strict=True) if not took]
        why = f"memory runs out with {min(failed):,}" if failed else "no larger one was tried"
        yield f"largest that fits: {report.largest:,} ({why})"
        if report.noise is not None:
            yield f"useful by the noise: {_useful(report.noise)}"
        yield f"to begin with: {report.suggestion:,} ({_craft(report)})"
        if report.noise is not None:
            yield ""
            yield from _said(report, report.noise)
    for note in report.notes:
        yield f"note: {note}"


def _table(report: BatchSizeReport) -> Iterator[str]:
    """Yield how fast the sizes are that fit."""
    rows = sorted(
        (one, took) for one, took in zip(report.sizes, report.seconds, strict=True) if took
    )
    doubled = [
        row
        for row in rows
        if row[0] == report.largest or math.log2(row[0] / report.given).is_integer()
    ]
    if not doubled:
        return
    yield f"{'batch':>9}  {'step':>9}  {'examples/s':>10}"
    for size, took in doubled[-_ROWS:]:
        step = f"{took:.3g} s" if took >= 1 else f"{took * 1e3:.3g} ms"
        yield f"{size:>9,}  {step:>9}  {_few(size / took):>10}"
    yield ""


def _craft(report: BatchSizeReport) -> str:
    """Return what is usual for such a model."""
    usual = f"the craft's default is not over {report.USUAL}"
    if not report.normalised:
        return usual
    usual += f", and over {report.NORMALISED} with batch normalisation"
    if report.largest is not None and report.largest <= report.NORMALISED:
        usual += ", for which this is too few: `nn.GroupNorm` needs no batch"
    return usual


def _useful(noise: NoiseScale) -> str:
    """Return the noise scale with its interval."""
    if noise.estimate is None:
        return f"over {noise.large:,}: the gradient cannot be told from its noise"
    high = f"to {_few(noise.high)}" if math.isfinite(noise.high) else "or more"
    return (
        f"about {_few(noise.estimate)} (95 % interval: {_few(noise.low)} {high};"
        f" {noise.examples:,} examples)"
    )


def _said(report: BatchSizeReport, noise: NoiseScale) -> Iterator[str]:
    """Yield what the measurement means for the choice."""
    begin = report.suggestion or 1
    if noise.estimate is None or noise.low > _CLEAR * begin:
        until = "there" if noise.estimate is None else f"about {_few(noise.estimate)}"
        yield (
            f"A batch over {begin} pays if it runs faster: up to {until}, twice the batch needs nearly"
            " half the steps. The learning rate grows with it."
        )
    elif _CLEAR * noise.high < begin:
        yield (
            f"At these weights the gradient is clear with fewer than {begin} examples: smaller batches"
            " learn more from each, as long as they run as fast."
        )
    else:
        yield f"With about {begin} examples the gradient is as large as its noise: a good size."
    yield (
        "The noise grows while the loss falls, often manyfold"
        + (
            f": this is after {report.trained:,} steps."
            if report.trained
            else ": this is at the weights as they are; `after` N steps tells more."
        )
    )


def _few(value: float) -> str:
    """Return a number with two digits that count."""
    if value < 10:  # noqa: PLR2004
        return f"{value:.2g}"
    digits = max(0, math.floor(math.log10(value)) - 1)
    return f"{round(value, -digits):,.0f}"
