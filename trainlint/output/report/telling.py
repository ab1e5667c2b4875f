"""What a report says in words: facts of the run, places in the source, pages of rules."""

from __future__ import annotations

import json
import math
import os
import re
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

from markdown_it import MarkdownIt
from markupsafe import Markup, escape

from trainlint.core.page import read_page
from trainlint.core.site import page_url
from trainlint.output.live import from_here, place_of
from trainlint.output.moments import duration, number, proof, sentence, subject
from trainlint.output.summary import rows

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from trainlint.core.catalogue import Catalogue
    from trainlint.core.diagnosis import Diagnosis, Evidence
    from trainlint.output.report.gathering import Gathered
    from trainlint.runtime.recordings.recording import Recording

_MEGA: Final = 1e6
_DECADE: Final = 10.0
_LEAST: Final = 1e-3
_MOST: Final = 1e4
_MARGIN: Final = 0.12
_LOCAL_LINK: Final = re.compile(r"\[([^\]]+)\]\((?!https?://)[^)]*\)")


class Source:
    """The lines of the user's files, as long as they are what they were when the training ended."""

    def __init__(self, ended: float) -> None:
        self._ended = ended
        self._files: dict[str, list[str]] = {}

    def line(self, path: str, line: int) -> str:
        """Return a line, or nothing."""
        if path not in self._files:
            self._files[path] = []
            with suppress(OSError, ValueError):
                if os.path.getmtime(path) <= self._ended:
                    with open(path, encoding="utf-8") as stream:
                        self._files[path] = stream.read().splitlines()
        lines = self._files[path]
        return lines[line - 1].strip() if 1 <= line <= len(lines) else ""


def marked(text: str) -> Markup:
    """Return a text as HTML in which what stands in backticks is code."""
    parts = text.split("`")
    if len(parts) % 2 == 0:  # one of them is no mark
        return escape(text)
    code = Markup("<code>{}</code>")
    return Markup("").join(
        code.format(part) if at % 2 else escape(part) for at, part in enumerate(parts)
    )


def _short(value: float | None) -> str:
    """Return a number with three digits that fits into a narrow column."""
    if value is None:
        return "–"
    if value == 0 or not math.isfinite(value) or _LEAST <= abs(value) < _MOST:
        return f"{value:.3g}"
    digits, exponent = f"{value:.2e}".split("e")
    return f"{digits}e{int(exponent)}"


def layers(
    gathered: Gathered, said: Sequence[Diagnosis], source: Source
) -> Iterator[dict[str, Any]]:
    """Yield what the table says of each layer, the worst first."""
    about: dict[str, list[int]] = {}
    for at, one in enumerate(said):
        if one.moment is not None:
            about.setdefault(one.moment.layer, []).append(at)
    for row in rows(gathered.facts, gathered.last, said):
        layer = row.layer
        yield {
            "name": layer.name,
            "what": layer.what,
            "find": f"{layer.name} {layer.what}".lower(),
            "severity": row.severity.value if row.severity else "",
            "numbers": [
                *(_short(value) for value in (row.gradient, row.update, row.activation)),
                *("–" if share is None else f"{share:.0%}" for share in (row.dead, row.saturated)),
            ],
            "place": f"{from_here(layer.path)}:{layer.line}" if layer.path else "",
            "code": source.line(layer.path, layer.line),
            "said": [
                (at, said[at].rule)
                for at in sorted({*about.get(layer.name, ()), *about.get(layer.weight, ())})
                if layer.name
            ],
        }


def diagnoses(gathered: Gathered, catalogue: Catalogue, source: Source) -> Iterator[dict[str, Any]]:
    """Yield what is told of each diagnosis."""
    for at, one in gathered.diagnoses:
        rule = catalogue.find(one.rule)
        yield {
            "at": at,
            "rule": one.rule,
            "code": one.code,
            "severity": one.severity.value,
            "subject": subject(one.moment) if one.moment else "",
            "place": place_of(one),
            "line": source.line(one.path, one.span.line),
            "message": sentence(one.message),
            "remedy": sentence(one.remedy),
            "proofs": list(_proofs(gathered, at, one)),
            "url": (page_url(rule) or "") if rule is not None else "",
        }


def _proofs(gathered: Gathered, at: int, one: Diagnosis) -> Iterator[dict[str, Any]]:
    """Yield the numbers that a diagnosis rests on; a scale with the bound where no curve can show it."""
    for it in one.moment.evidence if one.moment else ():
        layer = one.moment.layer if one.moment else ""
        drawn = gathered.is_signal(at, layer, it)
        yield {"text": proof(it), "scale": None if drawn else _scale(it)}


def _scale(one: Evidence) -> dict[str, Any] | None:
    """Return where a number and its bound lie on a scale, in percent from the left."""
    if one.bound is None or not math.isfinite(one.value) or not math.isfinite(one.bound):
        return None
    value, bound = one.value, one.bound
    ends = sorted((value, bound))
    is_log = ends[0] > 0 and ends[1] / ends[0] > _DECADE
    if is_log:
        value, bound = math.log10(value), math.log10(bound)
        ends = sorted((value, bound))
    elif ends[0] >= 0:
        ends[0] = 0.0
    low, span = ends[0], ends[1] - ends[0]
    if span == 0:
        return None

    def place(number: float) -> float:
        return round(100 * (_MARGIN + (1 - 2 * _MARGIN) * (number - low) / span), 1)

    return {
        "value": place(value),
        "bound": place(bound),
        "told": number(one.value),
        "limit": number(one.bound),
        "kind": "logarithmic" if is_log else "linear",
    }


def rule_pages(catalogue: Catalogue, diagnoses: Iterable[Diagnosis]) -> Iterator[dict[str, Any]]:
    """Yield the page of each rule that spoke, as HTML."""
    markdown = MarkdownIt("commonmark", {"html": False})
    for name in dict.fromkeys(one.rule for one in diagnoses):
        rule = catalogue.find(name)
        page = None if rule is None else read_page(rule)
        if rule is None or page is None:
            continue
        body = page.text.partition("\n")[2]
        html = markdown.render(_LOCAL_LINK.sub(r"\1", body))
        # HTML in the page has been escaped.
        yield {"name": name, "code": rule.code, "html": Markup(html)}  # noqa: S704


def facts(recording: Recording, gathered: Gathered) -> Iterator[tuple[str, str]]:
    """Yield what is known of the run, a word and a text."""
    run = dict(recording.run)
    for key in ("model", "parameters"):
        if key in run:
            value = run.pop(key)
            yield key, number(value) if isinstance(value, (int, float)) else str(value)
    yield "layers", f"{len(gathered.facts.layers):,}"
    run.pop("optimizer", None)
    for one in gathered.facts.optimizers:
        decay = f", weight decay {one.weight_decay:g}" if one.weight_decay else ""
        yield "optimizer", f"{one.kind}, learning rate {one.learning_rate:g}{decay}"
    yield "steps", f"{recording.last_number:,}, {recording.measured:,} of them measured"
    yield "time", duration(recording.seconds)
    own, whole = (gathered.last.get(one, {}).get("") for one in ("own_seconds", "run_seconds"))
    if isinstance(run.get("own_seconds"), float) and isinstance(run.get("seconds"), float):
        own, whole = float(run["own_seconds"]), float(run["seconds"])
    if own is not None and whole:
        yield "overhead of watching", f"{own:.2f} s, {own / whole:.1%} of the time"
    for key in ("own_seconds", "seconds", "steps", "began"):
        run.pop(key, None)
    for key, value in run.items():
        yield key.replace("_", " "), number(value) if isinstance(value, float) else str(value)
    for setting, told in recording.settings.items():
        if told:
            yield setting.replace("_", " "), json.dumps(told)
    yield "recording", f"{recording.path}, {recording.size / _MEGA:.1f} MB"
    if recording.is_thinned:
        yield "thinned", "the recording was full, and some of its steps were given up"


def glance(recording: Recording, gathered: Gathered) -> Iterator[str]:
    """Yield what a person asks first: how far it came, how long it took, where the loss is."""
    steps = recording.last_number
    yield f"{steps:,} step{'' if steps == 1 else 's'} in {duration(recording.seconds)}"
    loss = gathered.last.get("loss", {}).get("")
    if loss is not None:
        yield f"last loss {number(loss)}"
    model = recording.run.get("model")
    layers = f"{len(gathered.facts.layers):,} layers"
    yield f"{model}, {layers}" if model else layers
