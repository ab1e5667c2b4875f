"""A source file: its text, its syntax tree, and where things stand in it."""

from __future__ import annotations

import ast
import codecs
import os
import re
import stat
import warnings
from bisect import bisect_right
from functools import cached_property

from trainlint.core.diagnosis import Span

MAX_BYTES = 20_000_000
"""Larger files are generated data; parsing one takes gigabytes."""

_COOKIE = re.compile(rb"^[ \t\f]*#.*?coding[:=][ \t]*([-\w.]+)")
_LINE_END = re.compile(r"\r\n|\r|\n")


class SourceError(Exception):
    """A file cannot be linted: ``reason`` says why, ``line`` where, if there is a place."""

    def __init__(self, path: str, reason: str, line: int | None = None) -> None:
        super().__init__(path, reason, line)
        self.path = path
        self.reason = reason
        self.line = line

    def __str__(self) -> str:
        """Return the one line that the user reads."""
        place = self.path if self.line is None else f"{self.path}:{self.line}"
        return f"{place}: {self.reason}"


class SourceFile:
    """The text of one Python file and the positions in it.

    Raises :class:`SourceError` where the bytes are no Python: made by :meth:`read` or
    :meth:`from_bytes`, so that whoever holds a source file holds one that parses.
    """

    def __init__(self, path: str, text: str) -> None:
        self.path = path
        self.text = text
        self.tree = _parse(path, text)

    @classmethod
    def read(cls, path: str) -> SourceFile:
        """Read and parse the file at a path."""
        try:
            with open(path, "rb") as stream:
                status = os.fstat(stream.fileno())
                if not stat.S_ISREG(status.st_mode):
                    raise SourceError(path, "cannot be read: it is not a regular file")
                if status.st_size > MAX_BYTES:
                    raise SourceError(path, f"is over {MAX_BYTES // 1_000_000} MB and not linted")
                data = stream.read()
        except OSError as error:
            raise SourceError(path, f"cannot be read: {error.strerror or error}") from error
        return cls.from_bytes(path, data)

    @classmethod
    def from_bytes(cls, path: str, data: bytes) -> SourceFile:
        """Decode bytes as Python does (byte order mark, coding line, else UTF-8) and parse them."""
        return cls(path, _decode(path, data))

    @cached_property
    def line_starts(self) -> list[int]:
        """The offset at which each line starts, as Python counts lines."""
        return [0, *(match.end() for match in _LINE_END.finditer(self.text))]

    @cached_property
    def lines(self) -> list[str]:
        """The lines without their ends."""
        return _LINE_END.split(self.text)

    def offset(self, line: int, byte_column: int) -> int:
        """Turn a position of the syntax tree into an offset into the text."""
        return self.line_starts[line - 1] + self._characters(line, byte_column)

    def span(self, node: ast.AST) -> Span:
        """Return where a node stands."""
        return self.span_between(node, node)

    def span_between(self, first: ast.AST, last: ast.AST) -> Span:
        """Return the stretch from the start of one node to the end of another."""
        return Span(
            first.lineno,
            self._characters(first.lineno, first.col_offset) + 1,
            last.end_lineno,
            self._characters(last.end_lineno, last.end_col_offset) + 1,
        )

    def span_of_offsets(self, start: int, end: int) -> Span:
        """Return the stretch between two offsets into the text."""
        line = bisect_right(self.line_starts, start)
        end_line = bisect_right(self.line_starts, end)
        return Span(
            line,
            start - self.line_starts[line - 1] + 1,
            end_line,
            end - self.line_starts[end_line - 1] + 1,
        )

    def segment(self, node: ast.AST) -> str:
        """Return the source text of a node."""
        start = self.offset(node.lineno, node.col_offset)
        return self.text[start : self.offset(node.end_lineno, node.end_col_offset)]

    def _characters(self, line: int, byte_column: int) -> int:
        """Count the characters that the first bytes of a line make."""
        text = self.lines[line - 1]
        if text.isascii():
            return byte_column
        return len(text.encode()[:byte_column].decode(errors="ignore"))


def _decode(path: str, data: bytes) -> str:
    """Decode the bytes of a Python file."""
    encoding = "utf-8"
    if data.startswith(codecs.BOM_UTF8):
        data = data[len(codecs.BOM_UTF8) :]
    elif data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        raise SourceError(path, "is encoded in UTF-16; Python reads UTF-8, save it as that")
    else:
        for line in data.split(b"\n", 2)[:2]:
            if match := _COOKIE.match(line):
                encoding = match[1].decode()
                break
            if line.strip() and not line.lstrip().startswith(b"#"):
                break
    if b"\0" in data:
        line = data.count(b"\n", 0, data.index(b"\0")) + 1
        raise SourceError(path, "has a NUL byte: it is no Python source", line)
    try:
        return data.decode(encoding)
    except LookupError as error:
        raise SourceError(path, f"names an unknown encoding, `{encoding}`", 1) from error
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        reason = f"is not {error.encoding}: byte 0x{data[error.start]:02x} cannot be decoded"
        raise SourceError(path, reason, line) from error


def _parse(path: str, text: str) -> ast.Module:
    """Parse a text; every way in which that fails is a :class:`SourceError`."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ast.parse(text, path)
    except SyntaxError as error:
        raise SourceError(path, f"syntax error: {error.msg}", error.lineno) from error
    except (RecursionError, MemoryError) as error:
        raise SourceError(path, "is nested too deeply to be parsed") from error
    except ValueError as error:
        raise SourceError(path, f"cannot be parsed: {error}") from error
