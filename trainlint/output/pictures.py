"""Curves as HTML, by plotly, and as PNG, by matplotlib; both are optional."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

from trainlint.core.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Sequence

_COLOURS: Final = ("#1f77b4", "#d9822b", "#3a923a", "#8c564b")


@dataclass(frozen=True, slots=True)
class Curve:
    """Some points with a name, and what is said of each."""

    name: str
    x: Sequence[float]
    y: Sequence[float]
    texts: Sequence[str] = ()


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


def _needed(name: str, option: str) -> Any:
    """Import a library, or say in one line that it is missing."""
    try:
        return import_module(name)
    except ImportError as error:
        package = name.partition(".")[0]
        msg = f"{option} needs {package}: pip install {package}"
        raise UserError(msg) from error


def write_html(picture: Picture, path: str) -> None:
    """Write a picture as one HTML file that needs no network.

    Raises:
        UserError: There is no plotly, or the file cannot be written.

    """
    objects = _needed("plotly.graph_objects", "--html")
    figure = objects.Figure(
        [
            objects.Scatter(
                x=list(one.x),
                y=list(one.y),
                name=one.name,
                text=list(one.texts) or None,
                mode="lines+markers",
                line={"color": _COLOURS[at % len(_COLOURS)]},
            )
            for at, one in enumerate(picture.curves)
        ]
    )
    figure.update_layout(
        title=picture.title, xaxis_title=picture.x, yaxis_title=picture.y, template="plotly_white"
    )
    if picture.log_x:
        figure.update_xaxes(type="log")
    for place, said in picture.marks:
        figure.add_vline(x=place, line_dash="dash", annotation_text=said)
    try:
        figure.write_html(path, include_plotlyjs=True)
    except OSError as error:
        msg = f"{path}: cannot be written: {error.strerror or error}"
        raise UserError(msg) from error


def write_png(picture: Picture, path: str) -> None:
    """Write a picture as PNG.

    Raises:
        UserError: There is no matplotlib, or the file cannot be written.

    """
    _needed("matplotlib", "--png")
    figures = _needed("matplotlib.figure", "--png")
    figure = figures.Figure(figsize=(9, 5), layout="constrained")
    axes = figure.subplots()
    for at, one in enumerate(picture.curves):
        axes.plot(one.x, one.y, marker=".", label=one.name, color=_COLOURS[at % len(_COLOURS)])
    for place, said in picture.marks:
        axes.axvline(place, linestyle="--", linewidth=1, color="#666")
        axes.annotate(said, (place, 1), xycoords=("data", "axes fraction"), va="top", fontsize=8)
    if picture.log_x:
        axes.set_xscale("log")
    axes.set(title=picture.title, xlabel=picture.x, ylabel=picture.y)
    axes.grid(alpha=0.3)
    axes.legend()
    try:
        figure.savefig(path, dpi=150, format="png")
    except OSError as error:
        msg = f"{path}: cannot be written: {error.strerror or error}"
        raise UserError(msg) from error
