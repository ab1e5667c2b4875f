"""Colours and widths of text in a terminal."""

from __future__ import annotations

from typing import Final

from trainlint.core.diagnosis import Severity
from trainlint.core.immutable import immutable

TAB: Final = "    "
"""What a tab is shown as, so that a mark below the line stands where it should."""

_CODES: Final = {
    "bold": "1",
    "dim": "2",
    "red": "1;31",
    "green": "32",
    "yellow": "1;33",
    "blue": "1;34",
    "cyan": "36",
}
_OF_SEVERITY: Final = {
    Severity.ERROR: "red",
    Severity.WARNING: "yellow",
    Severity.ADVICE: "cyan",
}


@immutable
class Style:
    """Paints text, or leaves it as it is."""

    colours: bool = False

    def paint(self, text: str, colour: str) -> str:
        """Return the text in a colour."""
        return f"\x1b[{_CODES[colour]}m{text}\x1b[0m" if self.colours and text else text

    def severity(self, text: str, severity: Severity) -> str:
        """Return the text in the colour of a severity."""
        return self.paint(text, _OF_SEVERITY[severity])


def printable(text: str) -> str:
    """Return text of the user as one line that cannot steer the terminal."""
    if text.isprintable():
        return text
    return "".join(_printable(character) for character in text)


def width(text: str) -> int:
    """Count the columns that a printable text takes."""
    if text.isascii():
        return len(text)
    from unicodedata import combining, east_asian_width  # noqa: PLC0415 - most code is ASCII

    return sum(
        0 if combining(character) else 2 if east_asian_width(character) in "WF" else 1
        for character in text
    )


def _printable(character: str) -> str:
    """Return a character, or a picture of it where it has none."""
    if character == "\t":
        return TAB
    if character < " ":
        return chr(0x2400 + ord(character))
    return character if character.isprintable() or character == "\u3000" else "\ufffd"
