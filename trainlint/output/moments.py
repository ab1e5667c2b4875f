"""What the formats say of a diagnosis in a training: when, of which layer, by what numbers."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trainlint.core.diagnosis import Diagnosis, Evidence, Moment


_EXACT: Final = 1e15
"""Up to here a whole number is shown in full."""

_MINUTE: Final = 60
_HOUR: Final = 3600


def when(moment: Moment) -> str:
    """Say at which step, and on which rank, something was seen."""
    step = f"step {moment.step:,}" if moment.step else "before the first step"
    return step if moment.rank is None else f"{step}, rank {moment.rank}"


def place(one: Diagnosis) -> str:
    """Return where and when a diagnosis was made, as it is written before its message."""
    if one.moment is None:
        return f"{one.path}:{one.span.place}:"
    where = f"{one.path}:{one.span.line}: " if one.path else ""
    return f"{where}{when(one.moment)}:"


def prefix(one: Diagnosis) -> str:
    """Return what tells a tool that knows only files what its message lacks: the cell, the step."""
    return one.span.prefix if one.moment is None else f"{when(one.moment)}: "


def told(one: Diagnosis) -> str:
    """Return message and remedy as one text, for a tool that knows no other place for the remedy."""
    if one.moment is None:
        return f"{one.span.prefix}{one.message} {one.remedy}"
    return f"{prefix(one)}{sentence(one.message)} {sentence(one.remedy)}"


def sentence(text: str) -> str:
    """Return a text that begins and ends as a sentence does."""
    return f"{text[:1].upper()}{text[1:]}{'' if text.endswith(('.', '?')) else '.'}"


def subject(moment: Moment) -> str:
    """Say of what something was seen: `act (ReLU)`; nothing where the whole run is meant."""
    if not moment.layer:
        return moment.what
    return f"{moment.layer} ({moment.what})" if moment.what else moment.layer


def number(value: float) -> str:
    """Return a number with four digits that count."""
    if not math.isfinite(value):
        return str(value)
    return f"{int(value):,}" if value == int(value) and abs(value) < _EXACT else f"{value:.4g}"


def proof(one: Evidence) -> str:
    """Return a number with its bound: `dead units 0.62 > 0.5`."""
    if one.bound is None:
        return f"{one.what} {number(one.value)}"
    sign = ">" if one.is_over else "<" if one.value < one.bound else "="
    if math.isnan(one.value):
        return f"{one.what} nan (bound {number(one.bound)})"
    return f"{one.what} {number(one.value)} {sign} {number(one.bound)}"


def as_line(one: Diagnosis) -> str:
    """Return a diagnosis of a training in a line: when, of what, and its message."""
    if one.moment is None:
        return one.message
    about = subject(one.moment)
    return f"{when(one.moment)}, {about}: {one.message}" if about else f"{prefix(one)}{one.message}"


def as_markdown(one: Diagnosis) -> str:
    """Return a diagnosis as a few paragraphs of Markdown."""
    head = f"**{one.severity} {one.code} {one.rule}**"
    parts = [sentence(one.message), f"*What to do:* {sentence(one.remedy)}"]
    if one.moment is not None:
        about = subject(one.moment)
        head += f", {when(one.moment)}" + (f", {_code(about)}" if about else "")
        if one.moment.evidence:
            parts.insert(1, f"*Evidence:* {'; '.join(map(proof, one.moment.evidence))}")
    if one.path:
        head += f", {_code(f'{one.path}:{one.span.line}')}"
    return "\n\n".join([head, *parts])


def _code(text: str) -> str:
    """Return a text of the user as code of Markdown, which can begin nothing else."""
    return f"`{text.replace('`', chr(39))}`"


def notes(moment: Moment) -> Iterator[tuple[str, str]]:
    """Yield what is told below a diagnosis: a word, and what it is."""
    about = subject(moment)
    yield "seen", f"{when(moment)}, {about}" if about else when(moment)
    if moment.evidence:
        yield "evidence", "; ".join(map(proof, moment.evidence))


def as_json(moment: Moment) -> dict[str, Any]:
    """Return a moment as JSON has it; what is not finite is a text, for JSON has no such number."""
    return {
        "step": moment.step,
        "layer": moment.layer,
        "what": moment.what,
        "rank": moment.rank,
        "evidence": [
            {
                "what": one.what,
                "value": json_number(one.value),
                "bound": None if one.bound is None else json_number(one.bound),
                "signal": one.signal,
            }
            for one in moment.evidence
        ],
    }


def json_number(value: float) -> float | str:
    """Return a number as JSON can hold it: `NaN`, `Infinity` and `-Infinity` are texts."""
    if math.isfinite(value):
        return value
    return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"


def duration(seconds: float) -> str:
    """Return a time as a person says it."""
    if seconds < _MINUTE:
        return f"{seconds:.1f} s"
    if seconds < _HOUR:
        return f"{int(seconds // _MINUTE)} min {int(seconds % _MINUTE)} s"
    return f"{int(seconds // _HOUR)} h {int(seconds % _HOUR // _MINUTE)} min"
