"""JSON, read with the place of every value; the standard library tells none."""

from __future__ import annotations

import json
import re
from typing import Final

from trainlint.static.configs.values import (
    MAX_DEPTH,
    Entry,
    Mapping,
    Scalar,
    Sequence,
    Text,
    Value,
    is_no,
    too_deep,
)

_SPACE: Final = re.compile(r"[ \t\r\n]*")
_STRING: Final = re.compile(r'"(?:[^"\\]|\\.)*"')
_PLAIN: Final = re.compile(r"[-+.\w]+")


def read_json(text: str) -> Text:
    """Read a text; raise :class:`CannotReadError` where it is no JSON."""
    try:
        json.loads(text)
    except ValueError as error:
        line = getattr(error, "lineno", None)
        reason = getattr(error, "msg", str(error))
        raise is_no(reason, "JSON", line) from error
    except RecursionError as error:
        raise too_deep() from error
    return Text((_Reader(text).document(),))


class _Reader:
    """Goes through a text that is known to be JSON."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0

    def document(self) -> Value:
        """Return the value that the text is."""
        return self._value(0)

    def _skip(self) -> None:
        """Go to what is no space."""
        match = _SPACE.match(self._text, self._at)
        assert match is not None
        self._at = match.end()

    def _value(self, depth: int) -> Value:
        """Read the next value."""
        if depth > MAX_DEPTH:
            raise too_deep()
        self._skip()
        start = self._at
        first = self._text[start]
        if first == "{":
            entries: dict[str, Entry] = {}
            while not self._closes("}"):
                key = self._scalar()
                self._skip()
                self._at += 1  # the colon
                entries[str(key.value)] = Entry(key, self._value(depth + 1))
            return Mapping(start, self._at, entries)
        if first == "[":
            items: list[Value] = []
            while not self._closes("]"):
                items.append(self._value(depth + 1))
            return Sequence(start, self._at, tuple(items))
        return self._scalar()

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

    def _scalar(self) -> Scalar:
        """Read a text, a number or a word."""
        start = self._at
        quoted = self._text[start] == '"'
        match = (_STRING if quoted else _PLAIN).match(self._text, start)
        assert match is not None
        self._at = match.end()
        value = json.loads(match[0])
        return Scalar(start + quoted, self._at - quoted, value)
