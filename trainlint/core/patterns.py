"""Path patterns as `.gitignore` writes them: for ignore files, `exclude` and `per-file-ignores`."""

from __future__ import annotations

import re
from functools import cached_property
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

_WILD: Final = frozenset("*?[\\")
_CLASSES: Final = {
    "alnum": "a-zA-Z0-9",
    "alpha": "a-zA-Z",
    "blank": " \\t",
    "cntrl": "\\x00-\\x1f\\x7f",
    "digit": "0-9",
    "graph": "\\x21-\\x7e",
    "lower": "a-z",
    "print": "\\x20-\\x7e",
    "punct": "!-/:-@\\[-`{-~",
    "space": " \\t\\n\\r\\f\\v",
    "upper": "A-Z",
    "xdigit": "0-9a-fA-F",
}
_NEVER: Final = "(?!)"


class Patterns:
    """The patterns of one ignore file; of those that match a path the last one decides.

    Most patterns are plain names or endings, which are kept in sets: translating each of the
    hundred lines of a usual `.gitignore` to a regular expression would cost more than linting a
    file.
    """

    def __init__(self, lines: Iterable[str]) -> None:
        self._blocks: list[_Block] = []
        for line in lines:
            pattern = _without_trailing_spaces(line.removesuffix("\n").removesuffix("\r"))
            if not pattern or pattern.startswith("#"):
                continue
            negated = pattern.startswith("!")
            if not self._blocks or self._blocks[-1].negated is not negated:
                self._blocks.append(_Block(negated=negated))
            self._blocks[-1].add(pattern[1:] if negated else pattern)
        self._blocks.reverse()

    def __bool__(self) -> bool:
        """Say whether there is any pattern."""
        return bool(self._blocks)

    def verdict(self, path: str, *, folder: bool) -> bool | None:
        """Say whether a path is matched (True), matched by a negation (False), or neither (None).

        The path is relative to where the patterns hold, with `/` between its parts.
        """
        name = path[path.rfind("/") + 1 :]
        for block in self._blocks:
            if block.matches(path, name, folder=folder):
                return not block.negated
        return None

    def covers(self, path: str) -> bool:
        """Say whether the patterns match a file or one of the folders that hold it."""
        start = path.find("/")
        while start != -1:
            if self.verdict(path[:start], folder=True):
                return True
            start = path.find("/", start + 1)
        return bool(self.verdict(path, folder=False))


class _Block:
    """Patterns that stand together and have the same sign, so that their order means nothing."""

    def __init__(self, *, negated: bool) -> None:
        self.negated = negated
        self._literals: set[str] = set()
        self._folders: set[str] = set()
        self._endings: tuple[str, ...] = ()
        self._expressions: list[str] = []
        self._folder_expressions: list[str] = []

    def add(self, pattern: str) -> None:
        """Add one pattern, without its sign."""
        only_folders = pattern.endswith("/")
        if only_folders:
            pattern = pattern[:-1]
        anchored = "/" in pattern
        pattern = pattern.removeprefix("/")
        # A literal is kept as `name` where it may stand anywhere, as `/path` where it may not.
        if _WILD.isdisjoint(pattern):
            literals = self._folders if only_folders else self._literals
            literals.add("/" + pattern if anchored else pattern)
        elif (
            pattern.startswith("*.")
            and _WILD.isdisjoint(pattern[1:])
            and not anchored | only_folders
        ):
            self._endings += (pattern[1:],)
        else:
            expressions = self._folder_expressions if only_folders else self._expressions
            expressions.append(("" if anchored else "(?:.*/)?") + _expression(pattern))

    def matches(self, path: str, name: str, *, folder: bool) -> bool:
        """Say whether one of the patterns matches."""
        if name in self._literals or "/" + path in self._literals:
            return True
        if self._endings and name.endswith(self._endings):
            return True
        if self._expressions and self._any.fullmatch(path):
            return True
        if not folder:
            return False
        if name in self._folders or "/" + path in self._folders:
            return True
        return bool(self._folder_expressions and self._any_folder.fullmatch(path))

    @cached_property
    def _any(self) -> re.Pattern[str]:
        """The patterns for files and folders, as one expression."""
        return re.compile("|".join(self._expressions), re.DOTALL)

    @cached_property
    def _any_folder(self) -> re.Pattern[str]:
        """The patterns for folders only, as one expression."""
        return re.compile("|".join(self._folder_expressions), re.DOTALL)


def _without_trailing_spaces(line: str) -> str:
    """Remove the spaces at the end of a line, but not one that a backslash protects."""
    end = len(line)
    while end and line[end - 1] == " ":
        backslashes = len(line[: end - 1]) - len(line[: end - 1].rstrip("\\"))
        if backslashes % 2:
            break
        end -= 1
    return line[:end]


def _expression(pattern: str) -> str:
    """Translate a pattern to a regular expression."""
    parts = []
    at = 0
    while at < len(pattern):
        character = pattern[at]
        if character == "*":
            end = at
            while end < len(pattern) and pattern[end] == "*":
                end += 1
            whole_part = end - at == 2 and (at == 0 or pattern[at - 1] == "/")  # noqa: PLR2004
            if whole_part and pattern[end : end + 1] == "/":
                parts.append("(?:.+/)?")
                end += 1
            elif whole_part and end == len(pattern) and at:
                parts.append(".+")
            else:
                parts.append("[^/]*")
            at = end
        elif character == "?":
            parts.append("[^/]")
            at += 1
        elif character == "[":
            text, at = _bracket(pattern, at)
            parts.append(text)
        elif character == "\\":
            if at + 1 == len(pattern):
                return _NEVER
            parts.append(re.escape(pattern[at + 1]))
            at += 2
        else:
            parts.append(re.escape(character))
            at += 1
    return "".join(parts)


def _bracket(pattern: str, start: int) -> tuple[str, int]:
    """Translate the set of characters that starts at an offset; return it and where it ends."""
    at = start + 1
    negated = pattern[at : at + 1] in {"!", "^"} and at < len(pattern)
    at += negated
    members = []
    first = True
    while at < len(pattern) and (first or pattern[at] != "]"):
        first = False
        if pattern.startswith("[:", at) and (end := pattern.find(":]", at)) != -1:
            if pattern[at + 2 : end] not in _CLASSES:
                return _NEVER, len(pattern)
            members.append(_CLASSES[pattern[at + 2 : end]])
            at = end + 2
            continue
        low, at = _member(pattern, at)
        if pattern[at : at + 1] == "-" and pattern[at + 1 : at + 2] not in {"", "]"}:
            high, at = _member(pattern, at + 1)
            if low <= high:
                members.append(f"{re.escape(low)}-{re.escape(high)}")
        else:
            members.append(re.escape(low))
    if at >= len(pattern):
        return _NEVER, len(pattern)
    inside = "".join(members)
    if negated:
        return f"[^/{inside}]", at + 1
    return (f"(?!/)[{inside}]" if inside else _NEVER), at + 1


def _member(pattern: str, at: int) -> tuple[str, int]:
    """Return a character of a set and the offset after it."""
    if pattern[at] == "\\" and at + 1 < len(pattern):
        return pattern[at + 1], at + 2
    return pattern[at], at + 1
