"""Docstrings as Markdown: they are written as Python's documentation is, in reStructuredText."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

import griffe

if TYPE_CHECKING:
    from collections.abc import Iterator

_ROLE: Final = re.compile(r":(?:class|func|meth|mod|attr|data):`~?([^`]+)`(?: (?=s\b))?")
_TERM: Final = re.compile(r"^\S.*$")
_SECTION: Final = {
    "Args:": "Arguments",
    "Raises:": "Raises",
    "Returns:": "Returns",
    "Yields:": "Yields",
}
_NAMED: Final = re.compile(r"^ {4}(?P<name>[\w.*]+): (?P<text>.*)$")


class AsMarkdown(griffe.Extension):
    """Rewrites the docstring of everything that is documented."""

    def on_class(self, *, cls: griffe.Class, **_: Any) -> None:
        """Name the values of an enumeration that have no docstrings of their own."""
        if cls.docstring is None or not any("Enum" in str(base) for base in cls.bases):
            return
        values = [
            f"`{one.value}`".replace("'", "")
            for one in cls.attributes.values()
            if one.docstring is None and one.value is not None and not one.name.startswith("_")
        ]
        if values:
            cls.docstring.value += f"\n\nOne of {', '.join(values)}."

    def on_object(self, *, obj: griffe.Object, **_: Any) -> None:
        """Rewrite one docstring."""
        if obj.docstring is not None:
            obj.docstring.value = as_markdown(obj.docstring.value)


def as_markdown(text: str) -> str:
    """Turn roles, literal blocks, lists of definitions and of arguments into those of Markdown."""
    text = _ROLE.sub(r"`\1`", text)
    return "\n".join(_blocks(text.split("\n")))


def _blocks(lines: list[str]) -> Iterator[str]:
    """Yield the lines with literal blocks fenced and definitions marked."""
    at = 0
    while at < len(lines):
        line = lines[at]
        block = _indented(lines, at + 1)
        if line.endswith("::"):
            yield line[:-1]
            yield from ("", "```python" if _is_python(block) else "```text")
            yield from (inner[4:] for inner in block)
            yield from ("```", "")
            at += 1 + _length(lines, at + 1)
        elif line in _SECTION:
            yield from (f"**{_SECTION[line]}**", "")
            for inner in block:
                named = _NAMED.match(inner)
                yield f"- `{named['name']}`: {named['text']}" if named else inner[4:]
            yield ""
            at += 1 + _length(lines, at + 1)
        elif _TERM.match(line) and at + 1 < len(lines) and lines[at + 1].startswith("    "):
            # A term and what it means.
            first, *rest = block
            yield from (line, f":   {first[4:]}", *rest, "")
            at += 1 + _length(lines, at + 1)
        else:
            yield line
            at += 1


def _indented(lines: list[str], start: int) -> list[str]:
    """Return the indented lines from there on, without the empty ones around them."""
    block = lines[start : start + _length(lines, start)]
    while block and not block[0].strip():
        del block[0]
    while block and not block[-1].strip():
        del block[-1]
    return block


def _length(lines: list[str], start: int) -> int:
    """Count the lines from there on that are indented or empty."""
    length = 0
    while start + length < len(lines):
        line = lines[start + length]
        if line.strip() and not line.startswith("    "):
            break
        length += 1
    return length


def _is_python(block: list[str]) -> bool:
    """Say whether a literal block is Python."""
    try:
        compile("\n".join(line[4:] for line in block), "docstring", "exec")
    except SyntaxError:
        return False
    return True
