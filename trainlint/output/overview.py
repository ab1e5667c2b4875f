"""Recordings at a glance: a list of them, and what differs between some."""

from __future__ import annotations

import json
import math
import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from trainlint.core.diagnosis import Severity
from trainlint.output.json_format import VERSION
from trainlint.output.moments import as_json, duration, json_number, number
from trainlint.output.style import Style, printable
from trainlint.runtime.signals import Signal

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from trainlint.core.diagnosis import Diagnosis

_BARS: Final = "▁▂▃▄▅▆▇█"
_WIDTH: Final = 32
_POINTS: Final = 200
_KILO: Final = 1024
_LAYERS: Final = 2
"""So many of the worst layers are drawn in a terminal."""
_TOLD: Final = (Signal.GRADIENT_RMS, Signal.DEAD_UNITS, Signal.SATURATED)
"""By these signals."""


@dataclass(frozen=True)
class Overview:
    """What is known of a recording without its layers."""

    path: str
    state: str
    """finished, running, broken off or unreadable"""
    steps: int
    """The number of the last step."""
    seconds: float
    size: int
    started: float
    """Seconds since 1970."""
    facts: Mapping[str, str | int | float]
    """What is known of the run: the model, its optimizers and their settings, versions."""
    diagnoses: Sequence[Diagnosis] = ()
    losses: Sequence[tuple[int, float]] = field(default=(), repr=False)
    """The loss by the number of the step."""
    curves: Mapping[str, Mapping[str, Sequence[tuple[int, float]]]] = field(
        default_factory=dict, repr=False
    )
    """By layer and signal the same of some layers, where runs are compared."""
    trouble: str = ""
    """Why it cannot be read; all but its path and its size is unknown then."""

    @property
    def last_loss(self) -> float | None:
        """The last loss that is known."""
        return self.losses[-1][1] if self.losses else None

    @property
    def best_loss(self) -> float | None:
        """The smallest loss."""
        return min((loss for _, loss in self.losses if math.isfinite(loss)), default=None)


def verdict(one: Overview) -> str:
    """Say in a few words how it stands with a training."""
    if one.trouble:
        return one.trouble
    if not one.diagnoses:
        return "healthy" if one.steps else "no steps"
    counts = ((it, sum(one.severity is it for one in one.diagnoses)) for it in Severity)
    told = ", ".join(
        f"{count} {severity.value}{'s' if count > 1 and severity is not Severity.ADVICE else ''}"
        for severity, count in counts
        if count
    )
    first = one.diagnoses[0]
    layer = f" in {first.moment.layer}" if first.moment and first.moment.layer else ""
    return f"{told}: first {first.rule}{layer}"


def mood(one: Overview) -> str:
    """Return the worst severity of what was said of a training, or `healthy`."""
    found = {it.severity for it in one.diagnoses}
    return next((str(it) for it in Severity if it in found), "healthy")


# --- a list


def listing(overviews: Sequence[Overview], style: Style) -> Iterator[str]:
    """Yield a table of recordings, the newest first."""
    rows = [
        (
            printable(one.path),
            one.state,
            "" if one.trouble else f"{one.steps:,}",
            "" if one.trouble else duration(one.seconds),
            size(one.size),
            "" if one.last_loss is None else number(one.last_loss),
            printable(str(one.facts.get("model", ""))),
            printable(verdict(one)),
        )
        for one in overviews
    ]
    heads = ("recording", "state", "steps", "time", "size", "loss", "model", "verdict")
    if rows:
        yield from _aligned([heads, *rows], right={2, 3, 4, 5})
    else:
        yield style.paint("no recordings", "dim")


def listing_json(overviews: Sequence[Overview]) -> str:
    """Return the list as a JSON document."""
    return json.dumps({"version": VERSION, "runs": [_plain(one) for one in overviews]}, indent=2)


# --- a comparison


def comparison(overviews: Sequence[Overview], style: Style) -> Iterator[str]:
    """Yield what differs between recordings: each against the first, which is marked with an A."""
    marks = letters(overviews)
    for mark, one in zip(marks, overviews, strict=True):
        yield f"{style.paint(mark, 'bold')}  {printable(one.path)}: {printable(verdict(one))}"
    yield ""
    rows = [("", *marks), *outcomes(overviews), *changes(overviews)]
    yield from _aligned([tuple(map(printable, row)) for row in rows])
    for what, curves in shown_curves(overviews):
        longest = max((points[-1][0] for points in curves if points), default=0)
        yield ""
        yield style.paint(f"{printable(what)}, over the first {longest:,} steps", "bold")
        for mark, line in zip(marks, sparklines(curves), strict=True):
            yield f"{mark}  {line}"
    for mark, one in zip(marks[1:], overviews[1:], strict=True):
        gone, new, kept = against(overviews[0], one)
        both = len(kept)
        yield ""
        yield style.paint(
            f"{mark} against A: {len(gone)} gone, {len(new)} new, {both} in both", "bold"
        )
        for sign, colour, those in (("-", "green", gone), ("+", "red", new)):
            for it in those:
                yield style.paint(f"{sign} {line_of(it)}", colour)


def comparison_json(overviews: Sequence[Overview]) -> str:
    """Return the comparison as a JSON document."""
    runs = []
    for one in overviews:
        gone, new, _ = against(overviews[0], one)
        runs.append(
            {
                **_plain(one),
                "best_loss": _json(one.best_loss),
                "loss": points(one.losses),
                "layers": {
                    layer: {signal: points(curve) for signal, curve in signals.items()}
                    for layer, signals in one.curves.items()
                },
                "gone": [_said(it) for it in gone],
                "new": [_said(it) for it in new],
            }
        )
    differing = {key: list(values) for key, values in differences(overviews).items()}
    return json.dumps({"version": VERSION, "runs": runs, "differences": differing}, indent=2)


def letters(overviews: Sequence[Overview]) -> list[str]:
    """Return what each run is called: A, B and so on."""
    return [chr(ord("A") + at) for at in range(len(overviews))]


def outcomes(overviews: Sequence[Overview]) -> list[tuple[str, ...]]:
    """Return how the runs went: what it is of, and then what it is in each."""
    return [
        ("state", *(one.state for one in overviews)),
        ("steps", *(f"{one.steps:,}" for one in overviews)),
        ("time", *(duration(one.seconds) for one in overviews)),
        ("time per step", *(_pace(one) for one in overviews)),
        ("last loss", *(_maybe(one.last_loss) for one in overviews)),
        ("smallest loss", *(_maybe(one.best_loss) for one in overviews)),
    ]


def changes(overviews: Sequence[Overview]) -> list[tuple[str, ...]]:
    """Return the settings in which runs differ, in the same way."""
    return [
        (key, *("-" if it is None else _value(it) for it in values))
        for key, values in differences(overviews).items()
    ]


def against(
    first: Overview, other: Overview
) -> tuple[list[Diagnosis], list[Diagnosis], list[Diagnosis]]:
    """Return the diagnoses that are gone, new, and in both, once for each rule and layer."""
    before, after = said(first), said(other)
    gone = [it for key, it in before.items() if key not in after]
    new = [it for key, it in after.items() if key not in before]
    return gone, new, [it for key, it in after.items() if key in before]


def differences(overviews: Sequence[Overview]) -> dict[str, tuple[str | int | float | None, ...]]:
    """Return the facts in which runs differ, with those of each run; None where it has none."""
    keys = dict.fromkeys(key for one in overviews for key in one.facts)
    found = {key: tuple(one.facts.get(key) for one in overviews) for key in keys}
    return {key: values for key, values in found.items() if len(set(map(str, values))) > 1}


def said(one: Overview) -> dict[tuple[str, str], Diagnosis]:
    """Return what was said of a run, once for each rule and layer."""
    found: dict[tuple[str, str], Diagnosis] = {}
    for it in one.diagnoses:
        found.setdefault((it.rule, it.moment.layer if it.moment else ""), it)
    return found


def shown_curves(
    overviews: Sequence[Overview],
) -> Iterator[tuple[str, list[Sequence[tuple[int, float]]]]]:
    """Yield what is shown as curves in a terminal, with those of each run: the loss, the worst layers."""
    if any(one.losses for one in overviews):
        yield "loss", [one.losses for one in overviews]
    for layer in list(dict.fromkeys(layer for one in overviews for layer in one.curves))[:_LAYERS]:
        for signal in _TOLD:
            curves = [one.curves.get(layer, {}).get(signal, ()) for one in overviews]
            if any(curves):
                yield f"{signal} of {layer or 'the model'}", curves


def sparklines(curves: Sequence[Sequence[tuple[int, float]]], width: int = _WIDTH) -> Iterator[str]:
    """Yield curves as lines of bars, all to the same scales, with their last values; ✗ is not finite."""
    longest = max((points[-1][0] for points in curves if points), default=0)
    finite = [value for points in curves for _, value in points if math.isfinite(value)]
    low, high = (min(finite), max(finite)) if finite else (0.0, 0.0)
    logs = low > 0 and high / low > 100  # noqa: PLR2004 - two decades
    scale = math.log if logs else float
    for points in curves:
        bins: dict[int, list[float]] = {}
        for step, value in points:
            bins.setdefault(min(width - 1, (step - 1) * width // max(longest, 1)), []).append(value)
        line = ""
        for at in range(max(bins, default=-1) + 1):
            values = bins.get(at)
            if values is None:  # nothing was measured since
                line += line[-1:] or " "
            elif not all(map(math.isfinite, values)):
                line += "✗"
            else:
                # The largest, so that a leap of one step is seen.
                span = scale(high) - scale(low)
                share = (scale(max(values)) - scale(low)) / span if span > 0 else 0.0
                line += _BARS[min(len(_BARS) - 1, int(share * len(_BARS)))]
        yield f"{line}  {_maybe(points[-1][1] if points else None)}"


def points(curve: Sequence[tuple[int, float]]) -> list[list[float | str]]:
    """Return a curve as JSON has it, thinned."""
    return [[step, json_number(value)] for step, value in thinned(curve)]


def thinned(
    losses: Sequence[tuple[int, float]], most: int = _POINTS
) -> Sequence[tuple[int, float]]:
    """Return a curve with some of its points: of each stretch the smallest and the largest."""
    if len(losses) <= most:
        return losses
    stretch = math.ceil(len(losses) / (most // 2))
    found: list[tuple[int, float]] = []
    for at in range(0, len(losses), stretch):
        some = losses[at : at + stretch]
        odd = next((one for one in some if not math.isfinite(one[1])), None)
        ends = {min(some, key=lambda one: one[1]), odd or max(some, key=lambda one: one[1])}
        found += sorted(ends, key=lambda one: one[0])
    return found


# --- words


def size(count: int) -> str:
    """Return a number of bytes as a person says it."""
    if count < _KILO**2:
        return f"{count / _KILO:.0f} KB"
    return f"{count / _KILO**2:.1f} MB"


def _aligned(
    rows: Sequence[Sequence[str]], right: frozenset[int] | set[int] = frozenset()
) -> Iterator[str]:
    """Yield rows as lines with columns of a width."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = (
            f"{cell:>{width}}" if at in right else f"{cell:<{width}}"
            for at, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        yield "  ".join(cells).rstrip()


def line_of(one: Diagnosis) -> str:
    """Return a diagnosis in a line."""
    moment = one.moment
    layer = f" {moment.layer}" if moment and moment.layer else ""
    step = f", step {moment.step:,}" if moment else ""
    place = f", {os.path.basename(one.path)}:{one.span.line}" if one.path else ""
    return printable(f"{one.severity.value} {one.code} {one.rule}{layer}{place}{step}")


def _pace(one: Overview) -> str:
    """Return the time of a step."""
    return f"{one.seconds / one.steps * 1000:.3g} ms" if one.steps and one.seconds else "-"


def _maybe(value: float | None) -> str:
    """Return a number, or a dash."""
    return "-" if value is None else number(value)


def _value(value: str | int | float) -> str:  # noqa: PYI041 - a fact is one of three
    """Return a fact as text."""
    return value if isinstance(value, str) else number(value)


def _json(value: float | None) -> float | str | None:
    """Return a number as JSON can hold it."""
    return None if value is None else json_number(value)


def _plain(one: Overview) -> dict[str, Any]:
    """Return an overview as JSON has it."""
    return {
        "path": one.path,
        "state": one.state,
        "verdict": verdict(one),
        "trouble": one.trouble or None,
        "steps": one.steps,
        "seconds": one.seconds,
        "size": one.size,
        "started": one.started,
        "last_loss": _json(one.last_loss),
        "facts": {
            key: value if isinstance(value, str) else json_number(value)
            for key, value in one.facts.items()
        },
        "diagnoses": [_said(it) for it in one.diagnoses],
    }


def _said(one: Diagnosis) -> dict[str, Any]:
    """Return a diagnosis as JSON has it."""
    return {
        "rule": one.rule,
        "code": one.code,
        "severity": one.severity,
        "path": one.path or None,
        "line": one.span.line if one.path else None,
        "message": one.message,
        "remedy": one.remedy,
        "moment": None if one.moment is None else as_json(one.moment),
    }
