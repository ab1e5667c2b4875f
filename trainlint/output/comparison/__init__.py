"""Several trainings beside each other, as one HTML file that opens without a network."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from trainlint import __version__
from trainlint.output import overview
from trainlint.output.moments import json_number
from trainlint.output.pages import ours, template

if TYPE_CHECKING:
    from collections.abc import Sequence

    from trainlint.output.overview import Overview

TITLES: Final = {
    "gradient_rms": "Gradient RMS",
    "update_ratio": "Update ratio",
    "rms": "Activation RMS",
    "dead_units": "Dead units",
    "saturated": "Saturation",
}
"""What signals of layers are called on the page."""


def page(overviews: Sequence[Overview]) -> str:
    """Return the comparison of recordings, each with the first; what comes from the user is escaped.

    Raises:
        UserError: The extra `report` is not installed.

    """
    made = template(__name__, "--html")
    from markupsafe import Markup  # noqa: PLC0415 - an extra
    from plotly.offline import get_plotlyjs  # noqa: PLC0415

    marks = overview.letters(overviews)
    return made.render(
        marks=marks,
        runs=[
            {
                "mark": mark,
                "path": one.path,
                "state": one.state,
                "verdict": overview.verdict(one),
                "mood": overview.mood(one),
            }
            for mark, one in zip(marks, overviews, strict=True)
        ],
        outcomes=overview.outcomes(overviews),
        changes=overview.changes(overviews),
        against=[
            {"mark": mark, "gone": gone, "new": new, "kept": kept}
            for mark, (gone, new, kept) in zip(
                marks[1:],
                (overview.against(overviews[0], one) for one in overviews[1:]),
                strict=True,
            )
        ],
        line_of=overview.line_of,
        groups=_groups(overviews),
        version=__version__,
        style=ours("trainlint.output.report", "page.css") + ours(__name__, "page.css"),
        script=ours(__name__, "page.js"),
        plotly=Markup(get_plotlyjs()),  # noqa: S704 - a library
        data=Markup(_embedded(_drawn(overviews, marks))),  # noqa: S704 - no tag can begin or end in it
    )


def _layers(overviews: Sequence[Overview]) -> dict[str, list[str]]:
    """Return the signals that are drawn of each layer."""
    found: dict[str, dict[str, None]] = {}
    for one in overviews:
        for layer, signals in one.curves.items():
            found.setdefault(layer, {}).update(dict.fromkeys(signals))
    return {
        layer: [signal for signal in TITLES if signal in signals]
        for layer, signals in found.items()
    }


def _groups(overviews: Sequence[Overview]) -> list[dict[str, Any]]:
    """Return what stands around the charts: for each layer their numbers and titles."""
    groups = []
    number = 1  # 0 is the loss
    for layer, signals in _layers(overviews).items():
        charts = []
        for signal in signals:
            charts.append({"number": number, "title": TITLES[signal]})
            number += 1
        groups.append({"layer": layer, "charts": charts})
    return groups


def _drawn(overviews: Sequence[Overview], marks: Sequence[str]) -> list[dict[str, Any]]:
    """Return what the page draws: a chart of the loss, then those of the layers, as they are numbered."""
    charts = [("loss", [one.losses for one in overviews])]
    for layer, signals in _layers(overviews).items():
        for signal in signals:
            curves = [one.curves.get(layer, {}).get(signal, ()) for one in overviews]
            charts.append((TITLES[signal], curves))
    return [
        {
            "title": title,
            "curves": [
                {"name": mark, **_axes(points)} for mark, points in zip(marks, curves, strict=True)
            ],
        }
        for title, curves in charts
    ]


def _axes(points: Sequence[tuple[int, float]]) -> dict[str, list[Any]]:
    """Return a curve as plotly takes it, thinned; what is not finite is a text."""
    thin = overview.thinned(points, 1000)
    return {"x": [step for step, _ in thin], "y": [json_number(value) for _, value in thin]}


def _embedded(data: object) -> str:
    """Return JSON that can stand in a `<script>`."""
    text = json.dumps(data, separators=(",", ":"), allow_nan=False)
    return text.replace("&", r"\u0026").replace("<", r"\u003c").replace(">", r"\u003e")
