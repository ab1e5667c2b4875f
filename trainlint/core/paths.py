"""Paths as people are shown them."""

from __future__ import annotations

import os


def below_here(path: str) -> str | None:
    """Return a path from the current folder, or None where it lies outside of it."""
    try:
        relative = os.path.relpath(path)
    except ValueError:  # on another drive
        return None
    return None if relative.split(os.sep, 1)[0] == os.pardir else relative
