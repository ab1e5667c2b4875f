"""The view of a running training in a notebook: one table below the cell that trains, updated in place."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable

PAUSE: Final = 1.0
"""So many seconds lie between two updates, at least."""
_SHARE: Final = 400
"""So many times as long as an update took, at least: a quarter of a percent."""


def kernel_shell() -> Any | None:
    """Return the shell of IPython where its kernel runs, which is where a notebook can show HTML."""
    ipython = sys.modules.get("IPython")
    if ipython is None:
        return None
    shell = ipython.get_ipython()
    return shell if getattr(shell, "kernel", None) is not None else None


class LiveTable:
    """HTML in the output of the cell that runs; a later cell gets a table of its own."""

    def __init__(self, shell: Any) -> None:
        self._shell = shell
        self._handle: Any = None
        self._cell = -1
        self._next = 0.0

    def show(self, draw: Callable[[], str], *, now: bool = False) -> None:
        """Show what is drawn, unless that was done a moment ago; ``now`` does so at any rate."""
        start = time.monotonic()
        if not now and start < self._next:
            return
        shown = _Shown(draw())
        cell = self._shell.execution_count
        if self._handle is not None and cell == self._cell:
            self._handle.update(shown)
        else:
            from IPython.display import display  # noqa: PLC0415 - its kernel runs

            self._handle, self._cell = display(shown, display_id=True), cell
        ended = time.monotonic()
        self._next = ended + max(PAUSE, _SHARE * (ended - start))


class _Shown:
    """HTML that a notebook shows as such."""

    def __init__(self, html: str) -> None:
        self._html = html

    def _repr_html_(self) -> str:
        return self._html

    def __repr__(self) -> str:
        return "the training as trainlint sees it"
