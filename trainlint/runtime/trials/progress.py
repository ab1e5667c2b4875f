"""A bar in the terminal that shows how far a search is."""

from __future__ import annotations

import sys
from typing import Final

_WIDTH: Final = 30


class Bar:
    """Shows how far it is on the standard error output; by default only where a person reads it."""

    def __init__(self, wanted: bool | None) -> None:  # noqa: FBT001 - None is a third value
        self.wanted = sys.stderr.isatty() if wanted is None else wanted
        self._written = False

    def show(self, done: int, total: int) -> None:
        """Show that a part of the work is done."""
        full = _WIDTH * done // max(total, 1)
        self.tell(f"[{'#' * full}{'.' * (_WIDTH - full)}] {done}/{total}")

    def tell(self, text: str) -> None:
        """Show a text in the place of what is there."""
        if self.wanted:
            sys.stderr.write(f"\r{text:<{_WIDTH + 20}}")
            sys.stderr.flush()
            self._written = True

    def close(self) -> None:
        """Leave the line, that what is said next has one of its own."""
        if self._written:
            sys.stderr.write("\n")
            self._written = False
