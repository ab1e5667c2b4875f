"""A training as one HTML file that opens without a network."""

from __future__ import annotations

import json
import os
from contextlib import suppress
from html import escape
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Final

from trainlint import __version__
from trainlint.core.errors import UserError
from trainlint.core.site import page_url
from trainlint.output.moments import number, proof, subject
from trainlint.output.report.gathering import Gathered
from trainlint.output.summary import rows, verdict

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from trainlint.core.catalogue import Catalogue
    from trainlint.core.diagnosis import Diagnosis
    from trainlint.runtime.recording import Recording

_MEGA: Final = 1e6
_MINUTE: Final = 60


def page(recording: Recording, catalogue: Catalogue) -> str:
    """Return the report of a recording; what comes from the user is escaped.

    Raises:
        UserError: The extra `report` is not installed.

    """
    try:
        from jinja2 import Environment, PackageLoader, StrictUndefined  # noqa: PLC0415 - an extra
        from markupsafe import Markup  # noqa: PLC0415
        from plotly.offline import get_plotlyjs  # noqa: PLC0415
    except ImportError as error:
        msg = "a report needs plotly and Jinja2; to install them: pip install 'trainlint[report]'"
        raise UserError(msg) from error
    gathered = Gathered(recording)
    said = [one for _, one in gathered.diagnoses]
    environment = Environment(
        loader=PackageLoader("trainlint.output.report", "."),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    ours = files("trainlint.output.report")
    source = _Source(max((one.ended for one in recording.sessions), default=0.0))
    return environment.get_template("page.html.j2").render(
        title=os.path.basename(recording.path),
        verdict=verdict(said, recording.last_number),
        mood=_mood(said),
        running=recording.state.value,
        facts=list(_facts(recording, gathered)),
        layers=[
            {
                "name": row.layer.name,
                "what": row.layer.what,
                "severity": row.severity.value if row.severity else "",
                "numbers": [
                    "–" if value is None else _short(value)
                    for value in (row.gradient, row.update, row.activation)
                ]
                + ["–" if share is None else f"{share:.0%}" for share in (row.dead, row.saturated)],
                "place": f"{row.layer.path}:{row.layer.line}" if row.layer.path else "",
                "code": source.line(row.layer.path, row.layer.line),
            }
            for row in rows(gathered.facts, gathered.last, said)
        ],
        diagnoses=[
            {
                "at": at,
                "rule": one.rule,
                "code": one.code,
                "severity": one.severity.value,
                "subject": subject(one.moment) if one.moment else "",
                "place": f"{one.path}:{one.span.line}" if one.path else "",
                "line": source.line(one.path, one.span.line),
                "message": one.message,
                "remedy": one.remedy,
                "proofs": [proof(it) for it in one.moment.evidence] if one.moment else [],
                "url": _url(catalogue, one),
            }
            for at, one in gathered.diagnoses
        ],
        version=__version__,
        style=Markup(ours.joinpath("page.css").read_text("utf-8")),  # noqa: S704 - ours
        script=Markup(ours.joinpath("page.js").read_text("utf-8")),  # noqa: S704 - ours
        plotly=Markup(get_plotlyjs()),  # noqa: S704 - a library
        data=Markup(_embedded(gathered.as_json())),  # noqa: S704 - no tag can begin or end in it
    )


def fragment(summary: str) -> str:
    """Return a summary as a piece of HTML, for a notebook."""
    return (
        '<pre style="white-space:pre;overflow-x:auto;line-height:1.35" class="trainlint-summary">'
        f"{escape(summary)}</pre>"
    )


class _Source:
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


def _embedded(data: dict[str, Any]) -> str:
    """Return JSON that can stand in a `<script>`."""
    text = json.dumps(data, separators=(",", ":"), allow_nan=False)
    return text.replace("&", r"\u0026").replace("<", r"\u003c").replace(">", r"\u003e")


def _short(value: float) -> str:
    """Return a number with three digits."""
    return f"{value:.3g}"


def _mood(said: Sequence[Diagnosis]) -> str:
    """Return the worst severity, or `healthy`."""
    severities = {one.severity.value for one in said}
    return next((one for one in ("error", "warning") if one in severities), "healthy")


def _url(catalogue: Catalogue, one: Diagnosis) -> str:
    """Return the address of the page of a rule, where there is one."""
    rule = catalogue.find(one.rule)
    return (page_url(rule) or "") if rule is not None else ""


def _facts(recording: Recording, gathered: Gathered) -> Iterator[tuple[str, str]]:
    """Yield what is known of the run, a word and a text."""
    run = dict(recording.run)
    seconds = recording.seconds
    yield "state", recording.state.value
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
    minutes = f"{seconds / _MINUTE:.1f} min" if seconds >= _MINUTE else f"{seconds:.1f} s"
    yield "time", minutes
    own, whole = (gathered.last.get(one, {}).get("") for one in ("own_seconds", "run_seconds"))
    if isinstance(run.get("own_seconds"), float) and isinstance(run.get("seconds"), float):
        own, whole = float(run["own_seconds"]), float(run["seconds"])
    if own is not None and whole:
        yield "overhead of watching", f"{own:.2f} s, {own / whole:.1%}"
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
