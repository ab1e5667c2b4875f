"""The JSON of a notebook: where the sources of its cells stand in it, and how to change only those."""

from __future__ import annotations

import codecs
import json
import re
from bisect import bisect_right
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple, NoReturn

from trainlint.static.ipython import is_other_language
from trainlint.static.source import SourceError, decode

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

_FORMAT: Final = 4
_BLANK: Final = re.compile(r"[ \t\n\r]*")
_CHARACTER: Final = re.compile(
    r"\\u[dD][89abAB][\da-fA-F]{2}\\u[dD][c-fC-F][\da-fA-F]{2}|\\u[\da-fA-F]{4}|\\.|[^\\]",
    re.DOTALL,
)
"""What makes one character in the text of a JSON string."""
_ESCAPED: Final = re.compile(r"\\u(?!00[0-7])[\da-fA-F]{4}")


@dataclass(frozen=True, slots=True)
class CodeCell:
    """A code cell: its number, counted from 1 with the cells that hold no code, and its source."""

    number: int
    text: str


@dataclass(frozen=True, slots=True)
class Document:
    """The notebook as it was read."""

    data: bytes
    cells: tuple[CodeCell, ...]
    separator: str
    """The line between two cells in the program."""


def read_notebook(path: str, data: bytes) -> tuple[str, Document]:
    """Return the program of a notebook, and the notebook as it was read."""
    raw, _, _ = decode(path, data)
    if not raw or raw.isspace():
        return "", Document(data, (), "\f\n")
    try:
        cells = tuple(_code_cells(path, json.loads(raw)))
    except json.JSONDecodeError as error:
        raise SourceError(path, f"is no notebook: not JSON, {error.msg}", error.lineno) from error
    except RecursionError as error:
        raise SourceError(path, "is no notebook: its JSON is nested too deeply") from error
    except ValueError as error:
        raise SourceError(path, f"is no notebook: {error}") from error
    texts = [cell.text + "\n" for cell in cells]
    feeds = "\f"
    while any(feeds + "\n" in text for text in texts):
        feeds += "\f"
    separator = feeds + "\n"
    return separator.join(texts), Document(data, cells, separator)


def _code_cells(path: str, notebook: object) -> Iterator[CodeCell]:
    """Yield the cells that hold Python; raise `SourceError` where this is no notebook."""
    if not isinstance(notebook, dict):
        _refuse(path, "the JSON is no object")
    version = notebook.get("nbformat", _FORMAT)
    if "worksheets" in notebook or (isinstance(version, int) and version < _FORMAT):
        reason = "is a notebook of an old format; `jupyter nbconvert --to notebook` renews it"
        raise SourceError(path, reason)
    cells = notebook.get("cells")
    if not isinstance(cells, list):
        _refuse(path, "it has no list of cells")
    if not _is_python(notebook.get("metadata")):
        return
    for number, cell in enumerate(cells, start=1):
        if not isinstance(cell, dict):
            _refuse(path, f"cell {number} is no object")
        if cell.get("cell_type") != "code":
            continue
        source = cell.get("source", "")
        lines = source if isinstance(source, list) else [source]
        if not all(isinstance(line, str) for line in lines):
            _refuse(path, f"the source of cell {number} is no text")
        text = "".join(lines)
        if "source" in cell and not is_other_language(cell.get("metadata"), text):
            yield CodeCell(number, text)


def _refuse(path: str, reason: str) -> NoReturn:
    """Say why a file is no notebook."""
    raise SourceError(path, f"is no notebook: {reason}")


def _is_python(metadata: object) -> bool:
    """Say whether the kernel of a notebook is one of Python; where nothing is said it is."""
    if not isinstance(metadata, dict):
        return True
    for name, key in (("language_info", "name"), ("kernelspec", "language")):
        info = metadata.get(name)
        language = info.get(key) if isinstance(info, dict) else None
        if isinstance(language, str) and language:
            return language.lower().startswith(("python", "ipython"))
    return True


class _Literal(NamedTuple):
    """A string of the JSON: what it holds, and the offsets of what stands between its quotes."""

    value: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class _Source:
    """The source of a cell as it stands in the JSON."""

    literals: tuple[_Literal, ...]
    listed: tuple[int, int] | None
    """The offsets between the brackets where it is a list of strings."""


class _Places:
    """Walks over the JSON of a notebook, which is known to be one, for the places of the sources."""

    def __init__(self, raw: str) -> None:
        self._raw = raw
        self._value = json.JSONDecoder().raw_decode
        self.sources: dict[int, _Source] = {}
        """By the number of the cell."""
        self._walk(self._skip(0), self._member)

    def _member(self, key: object, at: int) -> int:
        """Look at a member of the notebook; return where it ends."""
        return self._walk(at, self._cell) if key == "cells" else self._value(self._raw, at)[1]

    def _cell(self, number: object, at: int) -> int:
        """Look at a cell; return where it ends."""

        def member(key: object, at: int) -> int:
            end = self._value(self._raw, at)[1]
            if key == "source":
                self.sources[int(str(number)) + 1] = self._source(at)
            return end

        return self._walk(at, member)

    def _source(self, at: int) -> _Source:
        """Return where the strings of a source stand."""
        literals: list[_Literal] = []

        def line(_: object, at: int) -> int:
            value, end = self._value(self._raw, at)
            literals.append(_Literal(value, at + 1, end - 1))
            return int(end)

        if self._raw[at] == "[":
            end = self._walk(at, line)
            return _Source(tuple(literals), (at + 1, end - 1))
        line(0, at)
        return _Source(tuple(literals), None)

    def _walk(self, at: int, member: Callable[[object, int], int]) -> int:
        """Go through an object or an array; return where it ends.

        ``member`` gets the key or the number of each value and its offset, and returns where it ends.
        """
        raw = self._raw
        is_object = raw[at] == "{"
        at = self._skip(at + 1)
        key: object = 0
        number = 0
        while raw[at] not in "}]":
            key = number
            if is_object:
                key, at = self._value(raw, at)
                at = self._skip(self._skip(at) + 1)
            at = self._skip(member(key, at))
            if raw[at] == ",":
                at = self._skip(at + 1)
            number += 1
        return at + 1

    def _skip(self, at: int) -> int:
        """Return the offset of what follows white space."""
        match = _BLANK.match(self._raw, at)
        return match.end() if match else at


def rewritten(document: Document, sources: Sequence[str]) -> bytes:
    """Return the bytes of a notebook whose code cells have other sources; the rest is as it was."""
    changed = [
        (cell, source)
        for cell, source in zip(document.cells, sources, strict=True)
        if source != cell.text
    ]
    if not changed:
        return document.data
    bom = document.data.startswith(codecs.BOM_UTF8)
    raw = document.data.decode("utf-8-sig")
    ascii_only = raw.isascii() and _ESCAPED.search(raw) is not None
    places = _Places(raw).sources
    pieces, done = [], 0
    for cell, source in changed:
        place = places[cell.number]
        for start, end, written in _replacements(raw, place, source, ascii_only=ascii_only):
            pieces += [raw[done:start], written]
            done = end
    pieces.append(raw[done:])
    return codecs.BOM_UTF8 * bom + "".join(pieces).encode()


def _replacements(
    raw: str, place: _Source, text: str, *, ascii_only: bool
) -> Iterator[tuple[int, int, str]]:
    """Yield what to replace in the JSON so that a cell has another source, in order."""

    def string(value: str) -> str:
        return json.dumps(value, ensure_ascii=ascii_only)[1:-1]

    if not place.literals:
        assert place.listed is not None
        yield *place.listed, ", ".join(f'"{string(line)}"' for line in _split(text))
        return
    literals = place.literals
    starts = [0]
    for literal in literals:
        starts.append(starts[-1] + len(literal.value))
    length = starts.pop()
    old = "".join(one.value for one in literals)
    between = _between(raw, place)
    for start, end, new in _differences(old, text):
        first, last = bisect_right(starts, start) - 1, bisect_right(starts, end) - 1
        if end == length and start == starts[first] and first and not new:
            # With the last line goes what stands before it, the comma and the indentation.
            first -= 1
        before = literals[first].value[: start - starts[first]]
        after = literals[last].value[end - starts[last] :]
        if between is None:
            written = string(new)
        else:
            written = between.join(string(line) for line in _split(new))
            if new and before.endswith("\n"):
                written = between + written
            if new.endswith("\n") and after:
                written += between
        yield (
            _offset(raw, literals[first], before),
            _offset(raw, literals[last], after, -1),
            written,
        )


def _between(raw: str, place: _Source) -> str | None:
    """Return what stands between two strings of a list, from quote to quote; None of one string."""
    if place.listed is None:
        return None
    literals = place.literals
    if len(literals) > 1:
        return raw[literals[0].end : literals[1].start]
    return f'",{raw[place.listed[0] : literals[0].start - 1] or " "}"'


def _offset(raw: str, literal: _Literal, part: str, direction: int = 1) -> int:
    """Return the offset in the JSON behind the first, or before the last part of a string's value."""
    wanted = len(part) if direction == 1 else len(literal.value) - len(part)
    if literal.end - literal.start == len(literal.value):
        return literal.start + wanted
    at = literal.start
    for _ in range(wanted):
        match = _CHARACTER.match(raw, at)
        assert match is not None
        at = match.end()
    return at


def _split(text: str) -> list[str]:
    """Return the lines of a text with their line feeds, as notebooks keep them."""
    return re.findall(r"[^\n]*\n|[^\n]+", text)


def _differences(before: str, after: str) -> Iterator[tuple[int, int, str]]:
    """Yield the stretches of a text that differ in another, and what is there instead."""
    from difflib import SequenceMatcher  # noqa: PLC0415 - only where something is written

    old, new = _split(before), _split(after)
    at = 0
    for kind, first, last, start, end in SequenceMatcher(
        None, old, new, autojunk=False
    ).get_opcodes():
        gone, come = "".join(old[first:last]), "".join(new[start:end])
        if kind != "equal":
            same = _common(gone, come)
            kept = _common(gone[same:][::-1], come[same:][::-1])
            yield at + same, at + len(gone) - kept, come[same : len(come) - kept]
        at += len(gone)


def _common(one: str, other: str) -> int:
    """Return how many characters two texts have in common at their start."""
    count = 0
    for left, right in zip(one, other, strict=False):
        if left != right:
            break
        count += 1
    return count
