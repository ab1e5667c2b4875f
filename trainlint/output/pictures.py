"""Curves as HTML, by plotly, and as PNG, by matplotlib; both are optional."""

from __future__ import annotations

import math
import os
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

from trainlint.core.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_COLOURS: Final = ("#1f77b4", "#d9822b", "#3a923a", "#8c564b")
_EXPECTED: Final = "#222"

_MOST_TICKS: Final = 40
_ROOM: Final = 0.05
"""Of the height, below the lowest point of what is cut off above."""
_LATE: Final = 0.85
"""After this share of the width what is said of a mark stands on its left."""
_LINE: Final = 0.05
"""How far below each other what is said of marks stands, of the height of the picture."""


@dataclass(frozen=True, slots=True)
class Curve:
    """Some points with a name, and what is said of each."""

    name: str
    x: Sequence[float]
    y: Sequence[float]
    texts: Sequence[str] = ()
    is_expected: bool = False
    """Whether it is what others are compared with: it is drawn dashed over them."""


@dataclass(frozen=True, slots=True)
class Picture:
    """Curves with the names of their axes."""

    title: str
    x: str
    y: str
    curves: Sequence[Curve]
    marks: Sequence[tuple[float, str]] = ()
    """Places on the first axis, and what they are."""
    log_x: bool = False
    ticks: Sequence[str] = ()
    """What stands at 1, 2, 3 of the first axis, in the place of numbers."""
    top: float | None = None
    """What lies higher is cut off; None where all is to be seen."""

    @property
    def floor(self) -> float:
        """Where the second axis begins if it is cut off: a little below the lowest."""
        lowest = min((one for curve in self.curves for one in curve.y), default=0.0)
        return lowest - _ROOM * ((self.top or lowest) - lowest)

    def is_late(self, place: float) -> bool:
        """Say whether a place is so far to the right that what is said of it has room on the left only."""
        places = [one for curve in self.curves for one in curve.x] + [one for one, _ in self.marks]
        scale = math.log if self.log_x else float
        low, high = scale(min(places)), scale(max(places))
        return scale(place) > low + _LATE * (high - low)


def _needed(name: str, option: str, extra: str) -> Any:
    """Import a library, or say in one line that it is missing."""
    try:
        return import_module(name)
    except ImportError as error:
        msg = f"{option} needs {name.partition('.')[0]}: pip install 'trainlint[{extra}]'"
        raise UserError(msg) from error


def write(picture: Picture, html: str | None, png: str | None) -> None:
    """Write a picture where it is wanted.

    Raises:
        UserError: A library is missing, or a file cannot be written.

    """
    if html:
        write_html(picture, html)
    if png:
        write_png(picture, png)


@contextmanager
def _made(path: str) -> Iterator[None]:
    """Make the folder of a file, and say in one line where the file cannot be written."""
    try:
        if folder := os.path.dirname(path):
            os.makedirs(folder, exist_ok=True)
        yield
    except OSError as error:
        msg = f"{path}: cannot be written: {error.strerror or error}"
        raise UserError(msg) from error


def _shown(picture: Picture) -> list[tuple[int, str]]:
    """Return which of the names along the first axis have room, and where they are; all of a few."""
    every = max(1, math.ceil(len(picture.ticks) / _MOST_TICKS))
    return [(at + 1, one) for at, one in enumerate(picture.ticks) if at % every == 0]


def _colour(at: int, curve: Curve) -> str:
    """Return the colour of a curve."""
    return _EXPECTED if curve.is_expected else _COLOURS[at % len(_COLOURS)]


def write_html(picture: Picture, path: str) -> None:
    """Write a picture as one HTML file that needs no network.

    Raises:
        UserError: There is no plotly, or the file cannot be written.

    """
    objects = _needed("plotly.graph_objects", "--html", "report")
    names = dict(enumerate(picture.ticks, start=1))
    figure = objects.Figure(
        [
            objects.Scatter(
                x=[names.get(int(place), place) for place in one.x] if names else list(one.x),
                y=list(one.y),
                name=one.name,
                text=list(one.texts) or None,
                mode="lines" if one.is_expected and len(one.x) > 1 else "lines+markers",
                line={"color": _colour(at, one), "dash": "dot" if one.is_expected else "solid"},
            )
            for at, one in enumerate(picture.curves)
        ]
    )
    figure.update_layout(
        title=picture.title,
        xaxis_title=picture.x,
        yaxis_title=picture.y,
        template="plotly_white",
        showlegend=True,
        # beside the curves it leaves them no room on a narrow screen
        legend={"orientation": "h", "x": 0, "y": 1, "yanchor": "bottom"},
        margin={"l": 60, "r": 30},
    )
    if picture.top is not None:
        figure.update_yaxes(range=[picture.floor, picture.top], exponentformat="power")
    if picture.log_x:
        figure.update_xaxes(type="log", exponentformat="power", dtick=1)
    if picture.ticks:  # as categories, as many are named as there is room for
        order = list(picture.ticks)
        figure.update_xaxes(type="category", categoryarray=order, tickangle=-60)
    for at, (place, said) in enumerate(picture.marks):
        figure.add_vline(x=place, line_dash="dash", line_width=1)
        x = math.log10(place) if picture.log_x else place  # of a text, but not of a line
        y = 1 - at * _LINE
        side = "right" if picture.is_late(place) else "left"
        figure.add_annotation(
            x=x, y=y, yref="paper", text=said, xanchor=side, showarrow=False, bgcolor="white"
        )
    with _made(path):
        figure.write_html(path, include_plotlyjs=True)


def write_png(picture: Picture, path: str) -> None:
    """Write a picture as PNG.

    Raises:
        UserError: There is no matplotlib, or the file cannot be written.

    """
    figures = _needed("matplotlib.figure", "--png", "png")
    figure = figures.Figure(figsize=(9, 5), layout="constrained")
    axes = figure.subplots()
    for at, one in enumerate(picture.curves):
        line, mark = ("--", "") if one.is_expected and len(one.x) > 1 else ("-", ".")
        axes.plot(one.x, one.y, line, marker=mark, label=one.name, color=_colour(at, one))
    if picture.log_x:
        axes.set_xscale("log")
    if ticks := _shown(picture):
        places, names = zip(*ticks, strict=True)
        axes.set_xticks(places, names, rotation=60, ha="right", rotation_mode="anchor", fontsize=8)
    for at, (place, said) in enumerate(picture.marks):
        axes.axvline(place, linestyle="--", linewidth=1, color="#666")
        y = 1 - at * _LINE
        is_late = picture.is_late(place)
        spot: dict[str, Any] = {
            "xycoords": ("data", "axes fraction"),
            "xytext": (-3 if is_late else 3, -3),
        }
        spot["bbox"] = {"facecolor": "white", "edgecolor": "none", "pad": 1}
        spot["ha"] = "right" if is_late else "left"
        axes.annotate(said, (place, y), textcoords="offset points", va="top", fontsize=8, **spot)
    if picture.top is not None:
        axes.set_ylim(picture.floor, picture.top)
    axes.set(title=picture.title, xlabel=picture.x, ylabel=picture.y)
    axes.grid(alpha=0.3)
    axes.legend(loc="best")
    with _made(path):
        figure.savefig(path, dpi=150, format="png")
