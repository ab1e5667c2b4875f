"""Prose in lines that are as wide as a terminal."""

from __future__ import annotations

import shutil
import textwrap
from typing import Final

WIDTH: Final = 80
"""Of a terminal whose width is not known."""
_NARROWEST: Final = 40
_WIDEST: Final = 100


def width_of_terminal() -> int:
    """Return how wide lines are to be here."""
    return fitting(shutil.get_terminal_size((WIDTH, 24)).columns)


def fitting(width: int) -> int:
    """Return a width that lines can be read in: neither very narrow nor very wide."""
    return min(max(width, _NARROWEST), _WIDEST)


def wrapped(text: str, width: int) -> list[str]:
    """Return a text in lines of a width; one that fits is left as it is, and 1e-05 is not broken."""
    if len(text) <= width:
        return [text]
    return textwrap.wrap(text, width, break_long_words=False, break_on_hyphens=False)
