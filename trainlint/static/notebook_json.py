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


class _Literal(NamedTuple):
    """A string of the JSON: what it holds, and the offsets of what stands between its quotes."""

    value: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class CodeCell:
    """A code cell as it stands in the JSON."""

    number: int
    literals: tuple[_Literal, ...]
    listed: tuple[int, int] | None
    """The offsets between the brackets where the source is a list of strings."""

    @property
    def text(self) -> str:
        """The source of the cell."""
        return "".join(one.value for one in self.literals)


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
    if not raw.strip():
        return "", Document(data, (), "\f\n")
    try:
        cells = tuple(_Reader(path, raw).code_cells())
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


class _Reader:
    """Walks over the JSON of a notebook, keeping where the sources stand."""

    def __init__(self, path: str, raw: str) -> None:
        self._path = path
        self._raw = raw
        self._value = json.JSONDecoder().raw_decode

    def _refuse(self, reason: str) -> NoReturn:
        """Say why this is no notebook."""
        raise SourceError(self._path, f"is no notebook: {reason}")

    def _expect(self, what: str, at: int) -> NoReturn:
        """Say what JSON would have at an offset."""
        raise json.JSONDecodeError(what, self._raw, at)

    def code_cells(self) -> Iterator[CodeCell]:
        """Yield the code cells; raise `SourceError` or `ValueError` where this is no notebook."""
        found: dict[str, int] = {}
        values: dict[str, object] = {}
        cells: list[tuple[int, dict[str, object], dict[str, int]]] = []

        def member(key: str, at: int) -> int:
            found[key] = at
            if key == "cells" and self._raw[at] == "[":
                cells.clear()
                return self._array(at, cell)
            values[key], end = self._value(self._raw, at)
            return end

        def cell(number: int, at: int) -> int:
            if self._raw[at] != "{":
                self._refuse(f"cell {number + 1} is no object")
            members: dict[str, object] = {}
            places: dict[str, int] = {}

            def part(key: str, at: int) -> int:
                places[key] = at
                value, end = self._value(self._raw, at)
                if key != "outputs":
                    members[key] = value
                return end

            cells.append((number + 1, members, places))
            return self._object(at, part)

        start = self._skip(0)
        if self._raw[start : start + 1] != "{":
            self._value(self._raw, start)
            self._refuse("the JSON is no object")
        end = self._skip(self._object(start, member))
        if end != len(self._raw):
            self._expect("Extra data", end)
        self._refuse_other_formats(found, values)
        if not _is_python(values.get("metadata")):
            return
        for number, members, places in cells:
            if members.get("cell_type") == "code" and "source" in members:
                one = self._source(number, places["source"], members["source"])
                if not is_other_language(members.get("metadata"), one.text):
                    yield one

    def _refuse_other_formats(self, found: dict[str, int], values: dict[str, object]) -> None:
        """Raise :class:`SourceError` unless the object has the cells of a notebook."""
        version = values.get("nbformat", _FORMAT)
        if "worksheets" in found or (isinstance(version, int) and version < _FORMAT):
            reason = "is a notebook of an old format; `jupyter nbconvert --to notebook` renews it"
            raise SourceError(self._path, reason)
        if "cells" not in found or "cells" in values:
            self._refuse("it has no list of cells")

    def _source(self, number: int, at: int, value: object) -> CodeCell:
        """Return a code cell, given where its source stands and what it is."""
        if isinstance(value, str):
            _, end = self._value(self._raw, at)
            return CodeCell(number, (_Literal(value, at + 1, end - 1),), None)
        literals: list[_Literal] = []

        def line(_: int, at: int) -> int:
            text, end = self._value(self._raw, at)
            if not isinstance(text, str):
                self._refuse(f"cell {number} has no text")
            literals.append(_Literal(text, at + 1, end - 1))
            return end

        if not isinstance(value, list):
            self._refuse(f"cell {number} has no text")
        end = self._array(at, line)
        return CodeCell(number, tuple(literals), (at + 1, end - 1))

    def _object(self, at: int, member: Callable[[str, int], int]) -> int:
        """Go through an object: ``member`` gets a key and an offset, and returns where its value ends."""
        raw = self._raw
        at = self._skip(at + 1)
        if raw[at : at + 1] == "}":
            return at + 1
        while True:
            if raw[at : at + 1] != '"':
                self._expect("Expecting property name enclosed in double quotes", at)
            key, at = self._value(raw, at)
            at = self._skip(at)
            if raw[at : at + 1] != ":":
                self._expect("Expecting ':' delimiter", at)
            at = self._next(member(key, self._start(at + 1)), "}")
            if raw[at - 1] == "}":
                return at

    def _array(self, at: int, element: Callable[[int, int], int]) -> int:
        """Go through an array: ``element`` gets a number and an offset, and returns where it ends."""
        raw = self._raw
        at = self._skip(at + 1)
        if raw[at : at + 1] == "]":
            return at + 1
        number = 0
        while True:
            at = self._next(element(number, self._start(at)), "]")
            if raw[at - 1] == "]":
                return at
            number += 1

    def _next(self, at: int, closing: str) -> int:
        """Return the offset behind a closing bracket, or that of what follows a comma."""
        at = self._skip(at)
        found = self._raw[at : at + 1]
        if found == closing:
            return at + 1
        if found != ",":
            self._expect("Expecting ',' delimiter", at)
        return self._skip(at + 1)

    def _start(self, at: int) -> int:
        """Return the offset of a value that must be there."""
        at = self._skip(at)
        if at == len(self._raw):
            self._expect("Expecting value", at)
        return at

    def _skip(self, at: int) -> int:
        """Return the offset of what follows white space."""
        match = _BLANK.match(self._raw, at)
        return match.end() if match else at


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
    pieces, done = [], 0
    for cell, source in changed:
        for start, end, written in _replacements(raw, cell, source, ascii_only=ascii_only):
            pieces += [raw[done:start], written]
            done = end
    pieces.append(raw[done:])
    return codecs.BOM_UTF8 * bom + "".join(pieces).encode()


def _replacements(
    raw: str, cell: CodeCell, text: str, *, ascii_only: bool
) -> Iterator[tuple[int, int, str]]:
    """Yield what to replace in the JSON so that a cell has another source, in order."""

    def string(value: str) -> str:
        return json.dumps(value, ensure_ascii=ascii_only)[1:-1]

    if not cell.literals:
        assert cell.listed is not None
        yield *cell.listed, ", ".join(f'"{string(line)}"' for line in _split(text))
        return
    literals = cell.literals
    starts = [0]
    for literal in literals:
        starts.append(starts[-1] + len(literal.value))
    length = starts.pop()
    between = _between(raw, cell)
    for start, end, new in _differences(cell.text, text):
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


def _between(raw: str, cell: CodeCell) -> str | None:
    """Return what stands between two strings of a list, from quote to quote; None of one string."""
    if cell.listed is None:
        return None
    literals = cell.literals
    if len(literals) > 1:
        return raw[literals[0].end : literals[1].start]
    return f'",{raw[cell.listed[0] : literals[0].start - 1] or " "}"'


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
