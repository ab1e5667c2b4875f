"""A training as one HTML file that opens without a network."""

from __future__ import annotations

import json
import os
import re
import zlib
from base64 import b64encode
from typing import TYPE_CHECKING, Final

from trainlint import __version__
from trainlint.output.pages import ours, template
from trainlint.output.report.gathering import Gathered
from trainlint.output.summary import first_thing, verdict

if TYPE_CHECKING:
    from collections.abc import Sequence

    from trainlint.core.catalogue import Catalogue
    from trainlint.core.diagnosis import Diagnosis
    from trainlint.runtime.recordings.recording import Recording

_WRITTEN: Final = 50
"""So many layers are in the table at once; the page makes the others when they are asked for."""


def page(recording: Recording, catalogue: Catalogue) -> str:
    """Return the report of a recording; what comes from the user is escaped.

    Raises:
        UserError: The extra `report` is not installed.

    """
    made = template(__name__, "a report")
    from plotly.offline import get_plotlyjs  # noqa: PLC0415 - an extra

    from trainlint.output.report import telling  # noqa: PLC0415

    gathered = Gathered(recording)
    said = [one for _, one in gathered.diagnoses]
    pages = list(telling.rule_pages(catalogue, said))
    source = telling.Source(max((one.ended for one in recording.sessions), default=0.0))
    layers = list(telling.layers(gathered, said, source))
    data = {**gathered.as_json(), "layers": layers[_WRITTEN:]}
    return made.render(
        title=os.path.basename(recording.path),
        verdict=verdict(said, recording.last_number),
        first=first_thing(said),
        glance=list(telling.glance(recording, gathered)),
        mood=_mood(said, recording.last_number),
        state=recording.state.value,
        facts=list(telling.facts(recording, gathered)),
        layers=layers[:_WRITTEN],
        more=len(layers[_WRITTEN:]),
        diagnoses=list(telling.diagnoses(gathered, catalogue, source)),
        pages=pages,
        known={one["name"] for one in pages},
        steps=gathered.end,
        measured=recording.measured,
        version=__version__,
        style=ours(__name__, "page.css"),
        script=ours(__name__, "charts.js", "page.js"),
        plotly=_packed(unwrapped(get_plotlyjs()).encode()),
        data=_packed(json.dumps(data, separators=(",", ":"), allow_nan=False).encode()),
        cells=[_packed(one) for one in gathered.cells()],
    )


def unwrapped(library: str) -> str:
    """Return plotly without the function around it, which a browser would read twice, and in ASCII.

    That halves the time until it is ready. One that is built in another way is left as it is.
    """
    begin, end = library.find('"use strict";var Plotly='), library.rfind("window.Plotly = Plotly;")
    if 0 <= begin < end:
        licence = library[: library.find("*/", 0, begin) + 2]
        library = f"{licence}\n{library[begin:end]}window.Plotly = Plotly;"
    return re.sub(r"[^\x00-\x7f]", lambda one: json.dumps(one[0])[1:-1], library)


def _packed(data: bytes) -> str:
    """Return data compressed, as text for scripts to unpack; no tag can begin or end in it."""
    return b64encode(zlib.compress(data)).decode("ascii")


def _mood(said: Sequence[Diagnosis], steps: int) -> str:
    """Return the worst severity, `healthy`, or `unknown` where there is nothing to judge."""
    severities = {one.severity.value for one in said}
    worst = next((one for one in ("error", "warning") if one in severities), "")
    return worst or ("healthy" if steps else "unknown")
