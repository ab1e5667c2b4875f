"""What the user can mend: shown as one line, never as a traceback."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


class UserError(Exception):
    """Trainlint cannot do what it was asked to; the message says in one line why."""


class Interrupted(BaseException):
    """Ctrl-C ended a program of the user's that we ran, and its traceback has been shown."""


def nearest(word: str, known: Iterable[str]) -> str:
    """Return a question with the known name that looks most like a word, or an empty text."""
    from difflib import get_close_matches  # noqa: PLC0415 - only where something is wrong

    names = {name.lower(): name for name in known}
    close = get_close_matches(word.lower(), names, n=1)
    return f"; did you mean `{names[close[0]]}`?" if close else ""
