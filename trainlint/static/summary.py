"""What the text of a file tells of it to those who import it, without parsing it.

Every file of a project is scanned, most of them for little: an expression that begins with a letter, a
word boundary or ``^`` is tried at every character, one that begins with the end of a line only there,
and looking for a plain word is faster still. So none here begins otherwise.
"""

from __future__ import annotations

import re
from functools import cached_property
from itertools import pairwise
from typing import TYPE_CHECKING, Final, NamedTuple

from trainlint.core.immutable import immutable
from trainlint.static.torch_api import LOSS_FUNCTIONS

if TYPE_CHECKING:
    from collections.abc import Iterator

WORD: Final = re.compile(r"\w+")

_IMPORT: Final = re.compile(
    r"\n[ \t]*+(?:from[ \t]+([.\w]+)[ \t]+import[ \t]+(?:\(([^)]*)\)|(.*))|import[ \t]+(.+))"
)
"""An import: the module and the names, or the modules."""

_TOP: Final = re.compile(
    r"\n(?:(class|def|async[ \t]+def)[ \t]+(\w+)|(\w++)[ \t]*+(?::[^=\n]*)?=(?!=))"
)
"""What a file defines or assigns at its top: anything without indentation."""

_CLASS: Final = re.compile(r"\n[ \t]*+class[ \t]+(\w+)")
_DEFINED: Final = re.compile(r"\n[ \t]*+(?:async[ \t]+)?(?:def|class)[ \t]+(\w+)")
_ANNOTATED: Final = re.compile(r"\n[ \t]*+(?:self\.)?(\w++)[ \t]*+:")
_ASSIGNED: Final = re.compile(r"=[ \t]*+(\w++)")

_ATTRIBUTE: Final = re.compile(r"\.\s*(\w+)")
_METHOD: Final = re.compile(r"\bdef\s+(\w+)")
_QUOTED: Final = re.compile(r"""["'](?=([^"'\n]*)["'])""")
"""What stands between two quotes of one line."""

_EVENTS: Final = (
    "backward(",
    "step(",
    "zero_grad",
    "clip_grad",
    "unscale_",
    ".eval(",
    ".train(",
)
"""What makes the text of a training loop."""

_ASKS: Final = ("backward", "step", "zero_grad", *LOSS_FUNCTIONS)
_MOVES: Final = re.compile(r"\)\s*\.(?:to|cuda|xpu|half|double|bfloat16|type)\(")
"""Where a file has these it counts what others pass: loops, losses, parameters that are moved."""


class Import(NamedTuple):
    """One name that a file imports: as it is known there, and the dotted name; ``*`` for all."""

    name: str
    imported: str


@immutable
class Summary:
    """What a file tells of itself, read from its text when it is asked."""

    text: str

    @cached_property
    def imports(self) -> tuple[Import, ...]:
        """Every import, wherever it stands."""
        return tuple(_imports(self._lines)) if "import" in self.text else ()

    @cached_property
    def top(self) -> dict[str, str]:
        """The names that the file defines at its top: ``class``, ``def`` or ``value``."""
        found = {}
        for kind, defined, assigned in _TOP.findall(self._lines):
            found[defined or assigned] = "class" if kind == "class" else "def" if kind else "value"
        return found

    @cached_property
    def blocks(self) -> dict[str, str]:
        """The text of what the file defines at its top, by name, up to the next of these."""
        lines = self._lines
        found: dict[str, str] = {}
        starts = [(match.start(), match[2] or match[3]) for match in _TOP.finditer(lines)]
        for (start, name), (end, _) in pairwise([*starts, (len(lines), "")]):
            found[name] = found.get(name, "") + lines[start:end]
        return found

    @cached_property
    def classes(self) -> tuple[str, ...]:
        """The classes that the file defines, wherever."""
        return tuple(dict.fromkeys(_CLASS.findall(self._lines)))

    @cached_property
    def names(self) -> frozenset[str]:
        """Every name that something in the file may be called or read by."""
        found = {*_DEFINED.findall(self._lines), *_ANNOTATED.findall(self._lines)}
        # Read backwards, a name that gets a value begins with its `=`.
        found.update(name[::-1] for name in set(_ASSIGNED.findall(self.text[::-1])))
        for quote in "\"'":
            found.update(filter(str.isidentifier, self.text.split(quote)))
        return frozenset(found)

    @cached_property
    def trains(self) -> bool:
        """Whether the file may hold events of a training loop."""
        return holds_events(self.text)

    @cached_property
    def asks(self) -> bool:
        """Whether it may count what other files pass to the functions of this one."""
        if any(_has(self.text, name, "(") for name in _ASKS):
            return True
        return _has(self.text, "Parameter", "(") and _MOVES.search(self.text) is not None

    @cached_property
    def called(self) -> tuple[str, ...]:
        """What the file defines at its top, if it counts what others pass to that."""
        return tuple(name for name, kind in self.top.items() if self.asks and kind != "value")

    @cached_property
    def read(self) -> frozenset[str]:
        """Every attribute that the file names: behind a dot, in a string on one line, as a method."""
        quoted = "\n".join(_QUOTED.findall(self.text))
        return frozenset(
            (*_ATTRIBUTE.findall(self.text), *_METHOD.findall(self.text), *WORD.findall(quoted))
        )

    def reads(self, attribute: str) -> bool:
        """Say whether the file names an attribute.

        The same word in prose, or as the name of something else, is none.
        """
        return attribute in self.text and attribute in self.read

    @property
    def _lines(self) -> str:
        """The text with the end of a line before every line."""
        return f"\n{self.text}"


def holds_events(text: str) -> bool:
    """Say whether a text may be that of a training loop, or of a part of one."""
    return any(event in text for event in _EVENTS)


def _has(text: str, word: str, then: str = "") -> bool:
    """Say whether a text has a word, as a whole, with something right behind it."""
    wanted = word + then
    start = text.find(wanted)
    while start >= 0:
        end = start + len(wanted)
        if not (start and _continues(text[start - 1])) and (
            then or end == len(text) or not _continues(text[end])
        ):
            return True
        start = text.find(wanted, end)
    return False


def _continues(character: str) -> bool:
    """Say whether a character is one of a word."""
    return character == "_" or character.isalnum()


def _imports(lines: str) -> Iterator[Import]:
    """Yield the imports of a file, in order."""
    for match in _IMPORT.finditer(lines):
        module, several, one, modules = match.groups()
        if module is None:
            for part in modules.partition("#")[0].split(","):
                imported, _, alias = (piece.strip() for piece in part.partition(" as "))
                if imported:
                    yield Import(alias or imported.partition(".")[0], imported)
            continue
        separator = "" if module.endswith(".") else "."
        for line in (several if several is not None else one).splitlines():
            for part in line.partition("#")[0].split(","):
                name, _, alias = (piece.strip(" \t()\\") for piece in part.partition(" as "))
                if name:
                    yield Import(alias or name, f"{module}{separator}{name}")
