"""Pieces of HTML for a notebook: trainings and reports as small tables in the colours of the page.

Whatever comes from the user is escaped. Colours are those of the notebook, light or dark, but for a few
that can be read on both; nothing is loaded and no script runs.
"""

from __future__ import annotations

import math
from html import escape
from typing import TYPE_CHECKING, Final, NamedTuple

from trainlint.core.diagnosis import Severity
from trainlint.output import moments, probe_text
from trainlint.output.live import place_of
from trainlint.output.style import Style, printable
from trainlint.output.summary import facts_told, rows, verdict

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from trainlint.core.diagnosis import Diagnosis
    from trainlint.output.summary import Row
    from trainlint.runtime.lr_finder import LRReport
    from trainlint.runtime.signals import Facts
    from trainlint.runtime.trials.batch_size_report import BatchSizeReport
    from trainlint.runtime.trials.probed import LayerReport, ProbeReport

FIRST: Final = 8
"""So many layers, and diagnoses, are seen at once; the others when they are asked for."""
MOST: Final = 200
"""So many are there at all: a notebook keeps what it shows."""

_COLOURS: Final = {
    Severity.ERROR: "#d9363e",
    Severity.WARNING: "#b7791f",
    Severity.ADVICE: "#2b7fb8",
}
"""Against white and against black these have a contrast over 3."""
_FINE: Final = "#2f8f4e"
_TABLE: Final = "border-collapse:collapse;margin:6px 0;color:inherit;font-size:inherit"
_CELL: Final = "padding:2px 10px 2px 8px;text-align:{};vertical-align:top;white-space:nowrap"
_FAINT: Final = "opacity:.7"
_WIDE, _HIGH, _EDGE = 420, 120, 8


class _Line(NamedTuple):
    """A line of a table: how bad it is, and its cells as HTML."""

    severity: Severity | None
    cells: tuple[str, ...]


def training(
    facts: Facts,
    last: Mapping[str, Mapping[str, float]],
    diagnoses: Sequence[Diagnosis],
    *,
    steps: int,
    seconds: float,
    own_share: float | None = None,
) -> str:
    """Return a training: a verdict, the layers worst first, the diagnoses with what to do."""
    found = [
        _Line(row.severity, (_layer(row.layer.name, row.layer.what), *_numbers(row)))
        for row in rows(facts, last, diagnoses)[:MOST]
    ]
    heads = ("gradient", "update", "activation", "dead", "saturated")
    return _framed(
        _paragraph(f"<b>{_prose(verdict(diagnoses, steps))}</b>", _mood(diagnoses)),
        _faint(", ".join(facts_told(last, steps, seconds, own_share))),
        _table(("layer", *heads), found, "layers"),
        *_diagnoses(diagnoses),
    )


def probe(report: ProbeReport) -> str:
    """Return a model before its first step: what each layer does to the signal and to the gradient."""
    worst = sorted(report.weighted, key=_off, reverse=True)
    found = [
        _Line(
            Severity.WARNING if _off(one) > probe_text.GOOD else None,
            (
                _layer(one.layer.name, one.layer.what),
                "" if one.predicted is None else probe_text.ratio(one),
                "" if one.gain is None else probe_text.gain(one),
                _ratio(one.running),
                _ratio(one.backward_running),
                _text(probe_text.units(report, one)),
            ),
        )
        for one in worst[:MOST]
    ]
    count = len(report.diagnoses)
    told = "no diagnoses" if not count else f"{count} diagnos{'is' if count == 1 else 'es'}"
    head, *facts = (line for line in probe_text.head(report, Style()))
    curves = [
        ("forward", [probe_text.decades(one.running) for one in report.weighted]),
        ("gradient", [probe_text.decades(one.backward_running) for one in report.weighted]),
    ]
    return _framed(
        _paragraph(f"<b>{_text(head)}: {told}</b>", _mood(report.diagnoses)),
        *(_faint(line) for line in facts),
        _picture(curves, "layer by layer, in powers of ten"),
        _table(
            ("layer", "ratio / theory", "gain / ideal", "forward", "gradient", "units"),
            found,
            "layers",
        ),
        *(_faint(line) for line in probe_text.theory(report)),
        *(_faint(line) for line in probe_text.other(report, None, Style())),
        *_effect(report),
        *_diagnoses(report.diagnoses),
    )


def _effect(report: ProbeReport) -> Iterator[str]:
    """Yield what the right initialisation of each layer changes, where that was measured."""
    if report.effect is not None:
        yield _paragraph(
            f"With the right initialisation ({_text(probe_text.schemes(report.effect))}):"
        )
        lines = [_Line(None, row) for row in probe_text.effect_rows(report.effect)]
        yield _table(("", "before", "after"), lines, "rows")
        yield from map(_faint, probe_text.shortfalls(report.effect))


def learning_rates(report: LRReport) -> str:
    """Return a search for a learning rate: the curve, the suggestion, what was tried."""
    said = "no learning rate was good"
    if report.suggestion is not None:
        said = f"suggested learning rate: {report.suggestion:.2g}"
    tried = list(zip(report.rates, report.losses, strict=True))
    found = [
        _Line(
            None if math.isfinite(loss) else Severity.WARNING,
            (f"{rate:.3g}", f"{loss:.4g}" if math.isfinite(loss) else "diverges"),
        )
        for rate, loss in tried[:MOST]
    ]
    facts = [f"{report.steps:,} steps"]
    if report.steepest is not None:
        facts.insert(0, f"steepest descent at {report.steepest:.2g}")
    if report.divergence is not None:
        facts.insert(0, f"divergence at {report.divergence:.2g}")
    lows = [loss for _, loss in tried if math.isfinite(loss)]
    # Above twice the first loss a curve only hides what lies below.
    top = 2 * abs(lows[0]) if lows else 0.0
    curve = [min(loss, top) if math.isfinite(loss) else None for _, loss in tried]
    at = None
    best = report.suggestion
    if best is not None and len(tried) > 1:
        at = min(range(len(tried)), key=lambda it: abs(math.log(tried[it][0] / best)))
    return _framed(
        _paragraph(
            f"<b>{_text(said)}</b>", _FINE if report.suggestion else _COLOURS[Severity.WARNING]
        ),
        _faint("; ".join(facts)),
        _picture([("loss", curve)], "by learning rate", at),
        _table(("learning rate", "loss"), found, "rates", 0),
        *(_faint(f"note: {one}") for one in report.notes),
    )


def batch_sizes(report: BatchSizeReport) -> str:
    """Return a search for a batch size: what fits, how fast it is, what to begin with."""
    if report.suggestion is None:
        said, colour = "not even one example fits into memory", _COLOURS[Severity.ERROR]
    else:
        said, colour = f"suggested batch size: {report.suggestion:,}", _FINE
    tried = sorted(zip(report.sizes, report.seconds, strict=True))
    found = [
        _Line(
            None if took else Severity.WARNING,
            (
                f"{size:,}",
                f"{took * 1000:.3g} ms" if took else "does not fit",
                f"{size / took:,.0f}" if took else "",
            ),
        )
        for size, took in tried
    ]
    facts = [] if report.largest is None else [f"largest that fits: {report.largest:,}"]
    if report.useful is not None:
        facts.append(f"useful by the noise: {report.useful:,.0f}")
    return _framed(
        _paragraph(f"<b>{_text(said)}</b>", colour),
        *([_faint("; ".join(facts))] if facts else []),
        _table(("batch", "a step", "examples a second"), found, "sizes"),
        *(_faint(f"note: {one}") for one in report.notes),
    )


# --- parts


def _framed(*parts: str) -> str:
    """Return parts as one piece."""
    style = "font-size:13px;line-height:1.45;color:inherit;max-width:72em"
    return f'<div class="trainlint" style="{style}">{"".join(parts)}</div>'


def _paragraph(inner: str, colour: str = "") -> str:
    """Return a paragraph, with a bar of a colour before it."""
    bar = f";border-left:4px solid {colour};padding-left:8px" if colour else ""
    return f'<p style="margin:4px 0{bar}">{inner}</p>'


def _faint(text: str) -> str:
    """Return a text that matters less."""
    return f'<p style="margin:2px 0;{_FAINT}">{_text(text)}</p>'


def _table(heads: Sequence[str], found: Sequence[_Line], what: str, first: int = FIRST) -> str:
    """Return a table; all but the first of many lines are folded away."""

    def table(lines: Sequence[_Line]) -> str:
        return f'<table style="{_TABLE}">{_head(heads)}{"".join(map(_row, lines))}</table>'

    parts = [table(found[:first])] if found[:first] else []
    if len(found) > first:
        more = f"{len(found) - first:,} {'more ' if first else ''}{what}"
        parts.append(_folded(more, table(found[first:])))
    return f'<div style="overflow-x:auto">{"".join(parts)}</div>' if parts else ""


def _folded(title: str, inner: str) -> str:
    """Return something that is shown when it is asked for."""
    return f'<details><summary style="cursor:pointer">{title}</summary>{inner}</details>'


def _head(heads: Sequence[str]) -> str:
    """Return the names of the columns."""
    cells = "".join(
        f'<th scope="col" style="{_CELL.format("right" if at else "left")}">{one}</th>'
        for at, one in enumerate(heads)
    )
    return f"<tr>{cells}</tr>"


def _row(line: _Line) -> str:
    """Return a line of a table, with a bar in the colour of what was said of it."""
    told = "".join(
        f'<td style="{_CELL.format("right" if at else "left")}">{one}</td>'
        for at, one in enumerate(line.cells)
    )
    if line.severity is None:
        return f"<tr>{told}</tr>"
    bar = f"box-shadow:inset 3px 0 {_COLOURS[line.severity]}"
    return f'<tr title="{line.severity}" style="{bar}">{told}</tr>'


def _layer(name: str, what: str) -> str:
    """Return the name of a layer, and what it is."""
    return f'<b>{_text(name or "the model")}</b> <span style="{_FAINT}">{_text(what)}</span>'


def _numbers(row: Row) -> Iterator[str]:
    """Yield the cells of a layer."""
    for value in (row.gradient, row.update, row.activation):
        if value is None:
            yield ""
        elif math.isfinite(value):
            yield f"{value:.2g}"
        else:
            yield f'<b style="color:{_COLOURS[Severity.ERROR]}">{value:g}</b>'
    for share in (row.dead, row.saturated):
        yield "" if share is None else f"{share:.0%}"


def _diagnoses(diagnoses: Sequence[Diagnosis]) -> Iterator[str]:
    """Yield diagnoses with what to do; most of many are folded away."""
    yield from map(_diagnosis, diagnoses[:FIRST])
    rest = diagnoses[FIRST:MOST]
    if rest:
        more = f"{len(diagnoses) - FIRST:,} more diagnoses"
        yield _folded(more, "".join(map(_diagnosis, rest)))


def _diagnosis(one: Diagnosis) -> str:
    """Return a diagnosis."""
    colour = _COLOURS[one.severity]
    about = [] if one.moment is None else [moments.when(one.moment), moments.subject(one.moment)]
    place = place_of(one)
    where = ", ".join(_text(it) for it in (*about, place) if it)
    proofs = "; ".join(map(moments.proof, one.moment.evidence)) if one.moment else ""
    evidence = f' <span style="{_FAINT}">({_text(proofs)})</span>' if proofs else ""
    return _paragraph(
        f'<b style="color:{colour}">{one.severity}</b> <b>{_text(f"{one.code} {one.rule}")}</b>'
        f' <span style="{_FAINT}">{where}</span><br>{_prose(one.message)}{evidence}'
        f"<br><i>What to do:</i> {_prose(one.remedy)}",
        colour,
    )


def _picture(
    curves: Sequence[tuple[str, Sequence[float | None]]], what: str, mark: int | None = None
) -> str:
    """Return curves over the same places, in the colour of the text; the second is dashed."""
    finite = [
        one for _, values in curves for one in values if one is not None and math.isfinite(one)
    ]
    count = max((len(values) for _, values in curves), default=0)
    if len(finite) < 2 or count < 2:  # noqa: PLR2004 - a line has two ends
        return ""
    low, high = min(finite), max(finite)

    def across(at: int) -> float:
        return _EDGE + at / (count - 1) * (_WIDE - 2 * _EDGE)

    parts = []
    for number, (_, values) in enumerate(curves):
        points = " ".join(
            f"{across(at):.1f},{_EDGE + (high - value) / ((high - low) or 1) * (_HIGH - 2 * _EDGE):.1f}"
            for at, value in enumerate(values)
            if value is not None and math.isfinite(value)
        )
        dashes = ' stroke-dasharray="5 3"' if number else ""
        parts.append(
            f'<polyline points="{points}" fill="none" stroke="currentColor" stroke-width="1.5"{dashes}/>'
        )
    if mark is not None:
        at = f"{across(mark):.1f}"
        parts.append(
            f'<line x1="{at}" x2="{at}" y1="0" y2="{_HIGH}" stroke="{_FINE}" stroke-width="2"/>'
        )
    names = ", ".join(f"{'- - ' if at else '— '}{name}" for at, (name, _) in enumerate(curves))
    told = f"{names} {what}; from {moments.number(low)} to {moments.number(high)}"
    style = f"display:block;width:100%;max-width:{_WIDE}px;border:solid;border-width:0 0 1px 1px"
    return (
        f'<svg role="img" aria-label="{escape(told)}" viewBox="0 0 {_WIDE} {_HIGH}"'
        f' style="{style}">{"".join(parts)}</svg>{_faint(told)}'
    )


def _mood(diagnoses: Sequence[Diagnosis]) -> str:
    """Return the colour of the worst that was said."""
    severities = {one.severity for one in diagnoses}
    return next((_COLOURS[one] for one in Severity if one in severities), _FINE)


def _off(one: LayerReport) -> float:
    """Say by how many powers of ten a layer is off."""
    if one.non_finite:
        return math.inf
    seen = (probe_text.decades(one.running), probe_text.decades(one.backward_running))
    return max((abs(it) for it in seen if it is not None), default=0.0)


def _ratio(value: float | None) -> str:
    """Return a ratio, or nothing."""
    return "" if value is None else probe_text.number(value)


def _text(text: str) -> str:
    """Return a text of the user as HTML."""
    return escape(printable(text))


def _prose(text: str) -> str:
    """Return a sentence as HTML in which what stands in backticks is code."""
    parts = [_text(part) for part in text.split("`")]
    if len(parts) % 2 == 0:  # one of them is no mark
        return _text(text)
    return "".join(f"<code>{part}</code>" if at % 2 else part for at, part in enumerate(parts))
