"""YAML, read with the place of every value, by the safe loader of PyYAML.

Nothing is constructed: tags of the file's own are kept as they are written. Anchors, aliases and merge
keys are followed. PyYAML is an extra: without it there is no YAML.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from typing import TYPE_CHECKING, Any, Final

from trainlint.static.configs.values import (
    MAX_DEPTH,
    CannotReadError,
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

if TYPE_CHECKING:
    from collections.abc import Iterator

MISSING: Final = "YAML is read with PyYAML: pip install 'trainlint[configs]'"

_COMMENT: Final = re.compile(r"(?:^|(?<=[ \t\r\n]))#[^\r\n]*")
_WORDS: Final[dict[str, bool | None]] = {
    **dict.fromkeys(("true", "True", "TRUE", "yes", "Yes", "YES", "on", "On", "ON"), True),
    **dict.fromkeys(("false", "False", "FALSE", "no", "No", "NO", "off", "Off", "OFF"), False),
    **dict.fromkeys(("null", "Null", "NULL", "~", ""), None),
}
_MERGE: Final = "<<"
_UNKNOWN: Final = "*"
"""The tag of a value of which nothing is known."""
_STANDARD: Final = "tag:yaml.org,2002:"


def is_installed() -> bool:
    """Say whether YAML can be read."""
    from importlib.util import find_spec  # noqa: PLC0415 - only for configurations

    return find_spec("yaml") is not None


def read_yaml(text: str) -> Text:
    """Read a text; raise :class:`CannotReadError` where it is no YAML, or PyYAML is missing."""
    try:
        import yaml  # noqa: PLC0415 - an extra
    except ImportError as error:
        raise CannotReadError(MISSING) from error
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    reader = _Reader(text)
    try:
        for event in yaml.parse(text, Loader=loader):
            reader.take(event)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        # What is missing at the end is missing in the last line, not behind it.
        line = None if mark is None else min(mark.line, len(text.splitlines()) - 1) + 1
        reason = error.problem or error.context or "it cannot be parsed"
        raise is_no(reason, "YAML", line) from error
    except yaml.YAMLError as error:
        reason = " ".join(str(getattr(error, "reason", error)).split())
        raise is_no(reason, "YAML") from error
    return Text(tuple(reader.documents), tuple(reader.comments()))


class _Open:
    """A mapping or a sequence that has not come to its end."""

    def __init__(self, event: Any, start: int) -> None:
        self.start = start
        self.anchor: str | None = event.anchor
        self.tag = _own(event.tag)
        self.in_brackets = bool(event.flow_style)
        self.values: list[Value] = []


class _Reader:
    """Makes values of the events of the parser, which go no deeper than the text does."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._open: list[_Open] = []
        self._anchors: dict[str, Value] = {}
        self._scalars: list[tuple[int, int]] = []
        self.documents: list[Value] = []

    def take(self, event: Any) -> None:
        """Take the next event."""
        kind = type(event).__name__
        start, end = event.start_mark.index, event.end_mark.index
        if kind in {"MappingStartEvent", "SequenceStartEvent"}:
            self._open.append(_Open(event, start))
            if len(self._open) > MAX_DEPTH:
                raise too_deep()
        elif kind == "ScalarEvent":
            self._scalars.append((start, end))
            self._add(self._scalar(event, start, end), event.anchor)
        elif kind == "AliasEvent":
            self._add(self._named(event.anchor, start, end), None)
        elif kind == "MappingEndEvent":
            opened = self._open.pop()
            stop = end if opened.in_brackets else self._end_of(opened)
            self._add(self._mapping(opened, stop), opened.anchor)
        elif kind == "SequenceEndEvent":
            opened = self._open.pop()
            stop = end if opened.in_brackets else self._end_of(opened)
            items = tuple(opened.values)
            made = Sequence(opened.start, stop, items, opened.in_brackets and not opened.tag)
            self._add(made, opened.anchor)
        elif kind == "DocumentStartEvent":
            self._anchors.clear()

    def comments(self) -> Iterator[Comment]:
        """Yield the comments: what looks like one and stands in no text."""
        starts = [start for start, _ in self._scalars]
        for match in _COMMENT.finditer(self._text):
            before = bisect_right(starts, match.start()) - 1
            if before < 0 or match.start() >= self._scalars[before][1]:
                yield Comment(match.start(), match[0].rstrip())

    def _named(self, anchor: str, start: int, end: int) -> Value:
        """Return what an alias names; nothing is known of it where it stands in that itself."""
        value = self._anchors.get(anchor)
        if value is not None:
            return value
        if any(one.anchor == anchor for one in self._open):
            return Scalar(start, end, None, _UNKNOWN)
        line = self._text.count("\n", 0, start) + 1
        reason = f"no anchor is called `{anchor}`"
        raise is_no(reason, "YAML", line)

    def _add(self, value: Value, anchor: str | None) -> None:
        """Put a value into what is open."""
        if anchor is not None:
            self._anchors[anchor] = value
        if self._open:
            self._open[-1].values.append(value)
        else:
            self.documents.append(value)

    def _end_of(self, opened: _Open) -> int:
        """Return where a block ends: with the last of its values, not with the next key."""
        ends = [value.end for value in opened.values if value.start >= opened.start]
        return max(ends, default=opened.start)

    def _mapping(self, opened: _Open, end: int) -> Mapping:
        """Return the mapping of keys and values; what is merged in comes first and counts least."""
        made = Mapping(opened.start, end, tag=opened.tag)
        pairs = list(zip(opened.values[::2], opened.values[1::2], strict=True))
        for key, value in pairs:
            if isinstance(key, Scalar) and key.value == _MERGE:
                several = value.items if isinstance(value, Sequence) else (value,)
                for one in several:
                    _merge(made, one)
        for key, value in pairs:
            if isinstance(key, Scalar) and key.value != _MERGE:
                # A key is what is written: `on` is no truth.
                word = key.value if isinstance(key.value, str) else self._text[key.start : key.end]
                made.entries[word] = Entry(key, value)
        return made

    def _scalar(self, event: Any, start: int, end: int) -> Scalar:
        """Return what a scalar is: a number or a word only where it has no quotes."""
        text: str = event.value
        tag = _own(event.tag)
        if event.style in {'"', "'"}:
            # The place of an anchor or a tag is that of the event too.
            start = self._text.find(event.style, start)
            return Scalar(start + 1, end - 1, text, tag)
        if event.style in {"|", ">"} or tag or event.tag not in {None, "!"}:
            return Scalar(start, end, text, tag)
        if event.anchor:
            start += len(event.anchor) + 1
            start = next((at for at in range(start, end) if self._text[at] not in " \t"), end)
        if text in _WORDS:
            return Scalar(start, end, _WORDS[text])
        # Loaders of YAML let people write 50_000.
        found = number(text.replace("_", "") if text[:1].isdigit() else text)
        return Scalar(start, end, text if found is None else found)


def _own(tag: str | None) -> str:
    """Return a tag of the file's own; nothing of the usual ones."""
    return "" if tag is None or tag == "!" or tag.startswith(_STANDARD) else tag


def _merge(into: Mapping, value: Value) -> None:
    """Merge a mapping into another; of two that differ in a key, loaders disagree which one counts."""
    for word, entry in value.entries.items() if isinstance(value, Mapping) else ():
        known = into.entries.setdefault(word, entry)
        if known is not entry:
            unknown = Scalar(entry.value.start, entry.value.end, None, _UNKNOWN)
            into.entries[word] = Entry(entry.key, unknown)
