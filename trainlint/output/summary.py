"""A training on one screen: a verdict, the layers worst first, the diagnoses, what to do first."""

from __future__ import annotations

import io
import math
import os
import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from rich.console import Console, Group
from rich.text import Text

from trainlint.core.diagnosis import Severity
from trainlint.output.live import STYLES, painted, place_of
from trainlint.output.moments import duration, number, proof
from trainlint.output.style import printable
from trainlint.runtime.signals import Signal

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from rich.console import RenderableType

    from trainlint.core.diagnosis import Diagnosis
    from trainlint.runtime.signals import Facts, Layer

MOST_LAYERS: Final = 6
MOST_DIAGNOSES: Final = 5
NARROWEST: Final = 60
WIDEST: Final = 120
_USUAL_UPDATE: Final = 1e-3
"""The ratio of an update to its weights that is thought healthy (Karpathy 2015)."""
_NONE: Final = len(Severity)
_GAP: Final = 2


@dataclass(frozen=True, slots=True)
class Row:
    """What is shown of a layer; a number that is not known is None."""

    layer: Layer
    severity: Severity | None
    """The worst that was said of it."""
    gradient: float | None
    """The RMS of the gradient of its weight."""
    update: float | None
    """The update ratio of its weight."""
    activation: float | None
    """The RMS of its output."""
    dead: float | None
    saturated: float | None

    @property
    def badness(self) -> tuple[int, float, int]:
        """By what rows are sorted, the worst first: what was said, how far the numbers are off."""
        said = _NONE if self.severity is None else tuple(Severity).index(self.severity)
        off = [one for one in (self.dead, self.saturated) if one is not None]
        if self.update is not None and self.update > 0 and math.isfinite(self.update):
            off.append(min(1.0, abs(math.log10(self.update / _USUAL_UPDATE)) / 6))
        seen = (self.gradient, self.update, self.activation)
        if any(one is not None and not math.isfinite(one) for one in seen):
            off.append(math.inf)
        finite = [one for one in off if not math.isnan(one)]
        return (said, -max(finite, default=0.0), self.layer.depth)


def rows(
    facts: Facts, last: Mapping[str, Mapping[str, float]], diagnoses: Sequence[Diagnosis]
) -> list[Row]:
    """Return the layers of which anything is known, the worst first.

    ``last`` is the last known value of every signal, by name and by layer or parameter.
    """
    worst: dict[str, Severity] = {}
    for one in diagnoses:
        name = "" if one.moment is None else one.moment.layer
        parameter = facts.parameter.get(name)
        if name not in facts.layer and parameter is not None:
            name = parameter.layer
        if name in facts.layer:
            known = worst.get(name, one.severity)
            worst[name] = min(known, one.severity, key=tuple(Severity).index)

    def value(signal: Signal, name: str) -> float | None:
        return last.get(signal, {}).get(name)

    found = (
        Row(
            layer,
            worst.get(layer.name),
            value(Signal.GRADIENT_RMS, layer.weight) if layer.weight else None,
            value(Signal.UPDATE_RATIO, layer.weight) if layer.weight else None,
            value(Signal.RMS, layer.name),
            value(Signal.DEAD_UNITS, layer.name),
            value(Signal.SATURATED, layer.name),
        )
        for layer in facts.layers
    )
    told = [
        row
        for row in found
        if row.severity is not None
        or any(
            one is not None
            for one in (row.gradient, row.update, row.activation, row.dead, row.saturated)
        )
    ]
    return sorted(told, key=lambda row: row.badness)


def verdict(diagnoses: Sequence[Diagnosis], steps: int) -> str:
    """Say in a sentence how it stands with a training."""
    within = f"{steps:,} step{'' if steps == 1 else 's'}"
    if not diagnoses and not steps:
        return "Nothing can be said of the training yet: no step was recorded."
    if not diagnoses:
        return f"The training looks healthy: no diagnoses in {within}."
    counts = [
        (severity, sum(one.severity is severity for one in diagnoses)) for severity in Severity
    ]
    listed = [
        f"{count} {severity.value}{'s' if count > 1 and severity is not Severity.ADVICE else ''}"
        for severity, count in counts
        if count
    ]
    told = " and ".join([", ".join(listed[:-1]), listed[-1]] if len(listed) > 1 else listed)
    begun = f"it began with {diagnoses[0].rule}{_at(diagnoses[0])}"
    if counts[0][1]:
        return f"The training cannot work like this: {told} in {within}; {begun}."
    if counts[1][1]:
        return f"The training likely suffers: {told} in {within}; {begun}."
    return f"The training looks sound, with {told} in {within}."


def first_thing(diagnoses: Sequence[Diagnosis]) -> str:
    """Return what to do first: about the first of what is worst, for it may be the cause of the rest."""
    ordered = sorted(diagnoses, key=lambda one: tuple(Severity).index(one.severity))
    if not ordered:
        return ""
    one = ordered[0]
    layer = "" if one.moment is None else one.moment.layer
    place = place_of(one)
    about = f"`{layer}`{f' ({place})' if place else ''}" if layer else place
    remedy = one.remedy if one.remedy.endswith(".") else f"{one.remedy}."
    return f"{about}: {remedy}" if about and f"`{layer}`" not in remedy else remedy


def screen(
    facts: Facts,
    last: Mapping[str, Mapping[str, float]],
    diagnoses: Sequence[Diagnosis],
    *,
    steps: int,
    seconds: float,
    own_share: float | None = None,
    width: int = NARROWEST,
) -> RenderableType:
    """Return a training as one screen of a width, for rich to print."""
    parts: list[RenderableType] = [
        painted(verdict(diagnoses, steps)),
        Text(", ".join(facts_told(last, steps, seconds, own_share)), "dim"),
    ]
    found = rows(facts, last, diagnoses)
    if found:
        parts += ["", *_table(found[:MOST_LAYERS], width)]
        if len(found) > MOST_LAYERS:
            parts.append(Text(f"and {len(found) - MOST_LAYERS:,} more layers", "dim"))
    if diagnoses:
        parts += ["", *_listed(diagnoses[:MOST_DIAGNOSES], width)]
        if len(diagnoses) > MOST_DIAGNOSES:
            parts.append(Text(f"and {len(diagnoses) - MOST_DIAGNOSES:,} more diagnoses", "dim"))
        parts += ["", Text.assemble(("Do first: ", "bold green"), painted(first_thing(diagnoses)))]
    return Group(*parts)


def summary(
    facts: Facts,
    last: Mapping[str, Mapping[str, float]],
    diagnoses: Sequence[Diagnosis],
    *,
    steps: int,
    seconds: float,
    own_share: float | None = None,
    width: int | None = None,
) -> str:
    """Return a training as one screen of plain text, as wide as the terminal unless told otherwise."""
    if width is None:
        width = min(max(shutil.get_terminal_size().columns, NARROWEST), WIDEST)
    stream = io.StringIO()
    console = Console(file=stream, width=width, color_system=None, highlight=False)
    shown = screen(
        facts, last, diagnoses, steps=steps, seconds=seconds, own_share=own_share, width=width
    )
    console.print(shown)
    return "\n".join(line.rstrip() for line in stream.getvalue().splitlines())


def facts_told(
    last: Mapping[str, Mapping[str, float]], steps: int, seconds: float, own_share: float | None
) -> Iterator[str]:
    """Yield what is known of the whole run."""
    pace = f", {seconds / steps * 1000:.3g} ms a step" if steps else ""
    yield f"{duration(seconds)}{pace}"
    if own_share is not None:
        yield f"{own_share:.1%} for watching"
    for signal, word in ((Signal.LOSS, "loss"), (Signal.LEARNING_RATE, "rate")):
        value = last.get(signal, {}).get("")
        if value is not None:
            yield f"{word} {number(value)}"


def _table(shown: Sequence[Row], width: int) -> Iterator[Text]:
    """Yield the lines of the table of layers; what they are is left out where there is no room."""
    heads = ("gradient", "update", "activation")
    numbers = [
        [_number(one) for one in (row.gradient, row.update, row.activation)] for row in shown
    ]
    states = [
        ", ".join(
            f"{share:.0%} {word}"
            for share, word in ((row.dead, "dead"), (row.saturated, "saturated"))
            if share is not None
        )
        for row in shown
    ]
    widths = [max(len(head), *(len(line[at]) for line in numbers)) for at, head in enumerate(heads)]
    room = width - sum(widths) - _GAP * (len(heads) + 1) - max(len("units"), *map(len, states))
    names = [printable(row.layer.name) or "the model" for row in shown]
    kinds = [printable(row.layer.what) for row in shown]
    named = max(len("layer"), *map(len, names))
    told = max(map(len, kinds))
    has_kinds = named + _GAP + told <= room
    if not has_kinds:
        named = min(named, max(room, _GAP))

    def line(name: Text, kind: str, cells: Sequence[Text], state: str, style: str = "") -> Text:
        found = Text(style=style)
        found.append_text(name).append(" " * (named - len(name)))
        if has_kinds:
            found.append(f"{'':{_GAP}}{kind:<{told}}", "dim")
        for cell, wide in zip(cells, widths, strict=True):
            found.append(" " * (_GAP + wide - len(cell))).append_text(cell)
        return found.append(f"{'':{_GAP}}{state}")

    yield line(Text("layer"), "", [Text(head) for head in heads], "units", "bold")
    for row, name, kind, cells, state in zip(shown, names, kinds, numbers, states, strict=True):
        style = "" if row.severity is None else STYLES[row.severity]
        short = name if len(name) <= named else f"…{name[len(name) - named + 1 :]}"
        yield line(Text(short, style), kind, cells, state)


def _number(value: float | None) -> Text:
    """Return a number of the table; what is not finite stands out."""
    if value is None:
        return Text("")
    return Text(f"{value:.2g}", "" if math.isfinite(value) else STYLES[Severity.ERROR])


def _listed(diagnoses: Sequence[Diagnosis], width: int) -> Iterator[Text]:
    """Yield the diagnoses, one in a line that is cut where it is too long."""
    steps = [f"step {one.moment.step:,}" if one.moment else "" for one in diagnoses]
    heads = [f"{one.severity.value} {one.code} {one.rule}" for one in diagnoses]
    for one, step, head in zip(diagnoses, steps, heads, strict=True):
        moment = one.moment
        about = [printable(moment.layer)] if moment and moment.layer else []
        about += [os.path.basename(place)] if (place := place_of(one)) else []
        proofs = [printable(proof(it)) for it in moment.evidence[:1]] if moment else []
        line = Text(f"{step:>{max(map(len, steps))}}{'':{_GAP}}", "dim", end="")
        found = Text.assemble(
            line,
            (one.severity.value, STYLES[one.severity]),
            " ",
            (one.code, "bold"),
            f" {one.rule}",
        )
        found.append(" " * (max(map(len, heads)) - len(head) + _GAP))
        found.append(": ".join(part for part in (", ".join(about), *proofs) if part))
        found.truncate(width, overflow="ellipsis")
        yield found


def _at(one: Diagnosis) -> str:
    """Say in which layer and at which step a diagnosis was made."""
    if one.moment is None:
        return ""
    layer = f" in `{one.moment.layer}`" if one.moment.layer else ""
    return f"{layer} at step {one.moment.step:,}"
