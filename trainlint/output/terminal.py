"""Pages and lists rendered for a terminal; the only module that imports rich."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from rich.console import Console

from trainlint.core.diagnosis import Severity
from trainlint.output.listing import COLUMNS, cells

if TYPE_CHECKING:
    from collections.abc import Iterable

    from trainlint.core.page import Page
    from trainlint.output.listing import Listed

WIDEST: Final = 100
"""Longer lines of prose are hard to read."""

_STYLES: Final = {Severity.ERROR: "bold red", Severity.WARNING: "yellow", Severity.ADVICE: "cyan"}


def show_page(page: Page, *, colours: bool) -> None:
    """Render the page of a rule."""
    from rich.markdown import Markdown  # noqa: PLC0415 - takes twice as long as rich itself

    console = _console(colours=colours)
    console.print(Markdown(page.text), width=min(console.width, WIDEST))


def show_rules(listed: Iterable[Listed], *, colours: bool) -> None:
    """Render the list of rules as a table."""
    from rich.table import Table  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in COLUMNS:
        table.add_column(column, no_wrap=column in {"code", "name"})
    for one in listed:
        row = [Text(cell) for cell in cells(one)]
        row[2].stylize(_STYLES[one.severity])
        row[-1].stylize("green" if one.on else "dim")
        table.add_row(*row)
    _console(colours=colours).print(table)


def _console(*, colours: bool) -> Console:
    """Return a console that writes colours or none."""
    return Console(force_terminal=colours or None, no_color=not colours, highlight=False)
