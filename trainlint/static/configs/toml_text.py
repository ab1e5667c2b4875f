"""TOML, read with the place of every value; the standard library tells none."""

from __future__ import annotations

import re
import tomllib
from typing import Final

from trainlint.static.configs.values import (
    MAX_DEPTH,
    Comment,
    Entry,
    Mapping,
    Scalar,
    Sequence,
    Text,
    Value,
    is_no,
    number,
    too_deep,
)

_SPACE: Final = re.compile(r"[ \t]*")
_BLANK: Final = re.compile(r"[ \t\r\n]*")
_COMMENT: Final = re.compile(r"#[^\r\n]*")
_BARE_KEY: Final = re.compile(r"[-\w]+")
_PLAIN: Final = re.compile(r"\d{4}-\d\d-\d\d \d\d[^\s,\]}#]*|[^\s,\]}#]+")
_TEXTS: Final = tuple(
    (quote, re.compile(pattern, re.DOTALL))
    for quote, pattern in (
        ('"""', r'"""(?:[^"\\]|\\.|"(?!""))*"{3,5}'),
        ("'''", r"'''.*?'{3,5}"),
        ('"', r'"(?:[^"\\]|\\.)*"'),
        ("'", r"'[^']*'"),
    )
)
_WHERE: Final = re.compile(r"\s*\(at (?:line (\d+), column \d+|end of document)\)$")


def read_toml(text: str) -> Text:
    """Read a text; raise :class:`CannotReadError` where it is no TOML."""
    try:
        tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        where = _WHERE.search(str(error))
        line = int(where[1]) if where and where[1] else None
        reason = _WHERE.sub("", str(error))
        raise is_no(reason, "TOML", line) from error
    except RecursionError as error:
        raise too_deep() from error
    reader = _Reader(text)
    root = reader.document()
    return Text((root,), tuple(reader.comments))


class _Reader:
    """Goes through a text that is known to be TOML."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self.comments: list[Comment] = []

    def document(self) -> Mapping:
        """Return the mapping that the text is."""
        root = table = Mapping(0, len(self._text))
        while self._skip():
            if self._text.startswith("[[", self._at):
                self._at += 2
                *path, last = self._keys()
                self._at += 2
                table = Mapping(last.start, last.end)
                held = _inside(root, path).entries
                known = held.get(str(last.value))
                before = known.value.items if known and isinstance(known.value, Sequence) else ()
                several = Sequence(last.start, last.end, (*before, table), in_brackets=False)
                held[str(last.value)] = Entry(last, several)
            elif self._text[self._at] == "[":
                self._at += 1
                keys = self._keys()
                self._at += 1
                table = _inside(root, keys)
            else:
                self._pair(table, 0)
        return root

    def _skip(self) -> bool:
        """Go over what is blank and over comments; say whether there is more."""
        while True:
            self._match(_BLANK)
            if not self._text.startswith("#", self._at):
                return self._at < len(self._text)
            start = self._at
            self.comments.append(Comment(start, self._match(_COMMENT).rstrip()))

    def _match(self, pattern: re.Pattern[str]) -> str:
        """Go over what a pattern matches, and return it."""
        match = pattern.match(self._text, self._at)
        assert match is not None
        self._at = match.end()
        return match[0]

    def _keys(self) -> list[Scalar]:
        """Read a key with dots."""
        found = []
        while True:
            self._match(_SPACE)
            quoted = self._text[self._at] in "\"'"
            start = self._at
            found.append(self._quoted() if quoted else self._bare(start))
            self._match(_SPACE)
            if not self._text.startswith(".", self._at):
                return found
            self._at += 1

    def _bare(self, start: int) -> Scalar:
        """Read a key without quotes."""
        key = self._match(_BARE_KEY)
        return Scalar(start, self._at, key)

    def _pair(self, table: Mapping, depth: int) -> None:
        """Read a key and its value into a table."""
        *path, last = self._keys()
        self._at += 1  # the equals sign
        self._match(_SPACE)
        value = self._value(depth + 1)
        _inside(table, path).entries[str(last.value)] = Entry(last, value)

    def _value(self, depth: int) -> Value:
        """Read the next value."""
        if depth > MAX_DEPTH:
            raise too_deep()
        start = self._at
        first = self._text[start]
        if first in "\"'":
            return self._quoted()
        if first == "[":
            items: list[Value] = []
            while not self._closes("]"):
                items.append(self._value(depth + 1))
            return Sequence(start, self._at, tuple(items))
        if first == "{":
            table = Mapping(start, start)
            while not self._closes("}"):
                self._pair(table, depth)
            return Mapping(start, self._at, table.entries)
        plain = self._match(_PLAIN)
        return Scalar(start, self._at, _meant(plain))

    def _closes(self, bracket: str) -> bool:
        """Go over an opening bracket or a comma; say whether the closing one has been gone over."""
        if self._text[self._at] in "{[":
            self._at += 1
        self._skip()
        if self._text[self._at] == ",":
            self._at += 1
            self._skip()
        if self._text[self._at] == bracket:
            self._at += 1
            return True
        return False

    def _quoted(self) -> Scalar:
        """Read a text with quotes."""
        start = self._at
        for quote, pattern in _TEXTS:
            if self._text.startswith(quote, start):
                written = self._match(pattern)
                value = tomllib.loads(f"x = {written}")["x"]
                return Scalar(start + len(quote), self._at - len(quote), value)
        msg = "no text stands here"
        raise AssertionError(msg)


def _inside(table: Mapping, path: list[Scalar]) -> Mapping:
    """Return the table at the end of a path, made where it is missing; of several the last."""
    for key in path:
        entry = table.entries.get(str(key.value))
        value = None if entry is None else entry.value
        if isinstance(value, Sequence) and value.items:
            value = value.items[-1]
        if not isinstance(value, Mapping):
            value = Mapping(key.start, key.end)
            table.entries[str(key.value)] = Entry(key, value)
        table = value
    return table


def _meant(plain: str) -> str | float | bool:
    """Return what is written without quotes: a truth, a number; a date is a text."""
    if plain in {"true", "false"}:
        return plain == "true"
    found = number(plain.replace("_", ""))
    return plain if found is None else found
