"""A source file: its text, its syntax tree, and where things stand in it."""

from __future__ import annotations

import ast
import codecs
import os
import re
import stat
import sys
import warnings
from bisect import bisect_right
from functools import cached_property
from typing import TYPE_CHECKING, Protocol

from trainlint.core.diagnosis import Span
from trainlint.core.report import Failure

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from trainlint.core.diagnosis import Cell

MAX_BYTES = 20_000_000
"""Larger files are generated data; parsing one takes gigabytes."""

MAX_NOTEBOOK_BYTES = 200_000_000
"""Most of a large notebook is pictures, which are not parsed."""

CONFIG_ENDINGS = (".yaml", ".yml", ".json", ".toml")

_COOKIE = re.compile(rb"^[ \t\f]*#.*?coding[:=][ \t]*([-\w.]+)")
_COOKIE_BYTES = 4096
_OF_3_12 = re.compile(r"\s*(?:(?:(?:async\s+)?def|class)\s+\w+\s*\[|type\s+\w+\s*[\[=])")
"""A line with type parameters, or an alias of a type (PEP 695)."""
_LINE_END = re.compile(r"\r\n|\r|\n")
_BYTE_LINE_END = re.compile(rb"\r\n|\r|\n")


class SourceError(Exception):
    """A file cannot be linted: ``reason`` says why, ``line`` where, if there is a place."""

    def __init__(
        self, path: str, reason: str, line: int | None = None, cell: int | None = None
    ) -> None:
        super().__init__(path, reason, line, cell)
        self.path = path
        self.reason = reason
        self.line = line
        self.cell = cell

    @property
    def failure(self) -> Failure:
        """What a report has of it."""
        return Failure(self.path, self.line, self.reason, self.cell)

    def __str__(self) -> str:
        """Return the one line that the user reads."""
        return str(self.failure)


class Placed(Protocol):
    """A node of a syntax tree that stands somewhere: an expression, a statement, an argument."""

    lineno: int
    col_offset: int
    end_lineno: int | None
    end_col_offset: int | None


class SourceFile:
    """The text of one Python file and the positions in it; of a notebook, the program of its cells.

    Raises :class:`SourceError` where the bytes are no Python: made by :meth:`read` or
    :meth:`from_bytes`, so that whoever holds a source file holds one that parses.
    """

    cells: tuple[Cell, ...] = ()
    """The cells, where the file is a notebook."""
    is_config: bool = False
    """Whether it is a configuration, and its tree the program that it stands for."""

    def __init__(self, path: str, text: str, *, encoding: str = "utf-8", bom: bool = False) -> None:
        self.path = path
        self.text = text
        self.encoding = encoding
        self.bom = bom
        self.parsed = text
        """The text that Python parses: with the same lines, and in them everything at its place."""
        self.failures: tuple[SourceError, ...] = ()
        """What of it could not be parsed, where the rest could."""
        self.tree = self._understood()

    @classmethod
    def read(cls, path: str) -> SourceFile:
        """Read and parse the file at a path: Python, or a notebook."""
        if is_notebook(path):
            from trainlint.static.notebook import NotebookFile  # noqa: PLC0415 - seldom needed

            return NotebookFile.read(path)
        if may_configure(path):
            from trainlint.static.configs.config_file import ConfigFile  # noqa: PLC0415 - the same

            return ConfigFile.read(path)
        return cls.from_bytes(path, read_bytes(path))

    @classmethod
    def from_bytes(cls, path: str, data: bytes) -> SourceFile:
        """Decode bytes as Python does (byte order mark, coding line, else UTF-8) and parse them."""
        if is_notebook(path):
            from trainlint.static.notebook import NotebookFile  # noqa: PLC0415 - seldom needed

            return NotebookFile.from_bytes(path, data)
        if may_configure(path):
            from trainlint.static.configs.config_file import ConfigFile  # noqa: PLC0415 - the same

            return ConfigFile.from_bytes(path, data)
        text, encoding, bom = decode(path, data)
        return cls(path, text, encoding=encoding, bom=bom)

    def with_text(self, text: str) -> SourceFile:
        """Return the same file with another text; raise :class:`SourceError` where it does not parse."""
        return SourceFile(self.path, text, encoding=self.encoding, bom=self.bom)

    def encoded(self) -> bytes:
        """Return the bytes of the file; raise `UnicodeEncodeError` where its encoding lacks a character."""
        return codecs.BOM_UTF8 * self.bom + self.text.encode(self.encoding)

    @cached_property
    def displayed(self) -> frozenset[int]:
        """The lines of the expressions whose values a notebook shows, so that they are not thrown away."""
        return frozenset()

    @property
    def weight(self) -> int:
        """How much memory it takes, in characters of source."""
        return len(self.text)

    @property
    def pieces(self) -> Iterable[tuple[str, str]]:
        """The names and the texts of what a person sees as one: the file, or each cell of a notebook."""
        return ((self.path, self.text),)

    @property
    def sources(self) -> Iterable[tuple[int, str]]:
        """The texts that an editor has, with the offsets at which they start: of the file, or its cells."""
        return ((0, self.text),)

    def cell_at(self, offset: int) -> Cell | None:
        """Return the cell of a notebook in which an offset lies."""
        del offset
        return None

    @cached_property
    def line_starts(self) -> list[int]:
        """The offset at which each line starts, as Python counts lines."""
        return [0, *(match.end() for match in _LINE_END.finditer(self.text))]

    @cached_property
    def lines(self) -> list[str]:
        """The lines without their ends."""
        return _LINE_END.split(self.text)

    @property
    def code_lines(self) -> list[str]:
        """The lines of what Python parses, without their ends."""
        return self.lines

    def comments(self) -> Iterator[tuple[int, int, str]]:
        """Yield the line, the offset and the text of each comment."""
        # Asked of few files: the tokenizer takes longer than all rules together.
        from tokenize import COMMENT, TokenError, generate_tokens  # noqa: PLC0415

        lines = iter([line + "\n" for line in self.code_lines])
        try:
            for token in generate_tokens(lambda: next(lines)):
                if token.type == COMMENT:
                    line, column = token.start
                    yield line, self.line_starts[line - 1] + column, token.string
        except (TokenError, SyntaxError):
            # The tokenizer refuses what the parser has accepted: a backslash at the end of the file.
            return

    def offset(self, line: int, byte_column: int) -> int:
        """Turn a position of the syntax tree into an offset into the text."""
        return self.line_starts[line - 1] + self._characters(line, byte_column)

    def span(self, node: Placed) -> Span:
        """Return where a node stands."""
        return self.span_between(node, node)

    def span_between(self, first: Placed, last: Placed) -> Span:
        """Return the stretch from the start of one node to the end of another."""
        end_line, end_column = _end(last)
        return self.in_cell(
            Span(
                first.lineno,
                self._characters(first.lineno, first.col_offset) + 1,
                end_line,
                self._characters(end_line, end_column) + 1,
            )
        )

    def span_of_offsets(self, start: int, end: int) -> Span:
        """Return the stretch between two offsets into the text."""
        line = bisect_right(self.line_starts, start)
        end_line = bisect_right(self.line_starts, end)
        return self.in_cell(
            Span(
                line,
                start - self.line_starts[line - 1] + 1,
                end_line,
                end - self.line_starts[end_line - 1] + 1,
            )
        )

    def may_replace(self, start: int, end: int) -> bool:
        """Say whether the text between two offsets may be replaced: not over the border of a cell."""
        return start <= end

    def in_cell(self, span: Span) -> Span:
        """Return a stretch as it is shown: where the file is a notebook, with its cell."""
        return span

    def segment(self, node: Placed) -> str:
        """Return the source text of a node."""
        start = self.offset(node.lineno, node.col_offset)
        return self.text[start : self.offset(*_end(node))]

    def _understood(self) -> ast.Module:
        """Parse the text."""
        return parse(self.path, self.text)

    def _characters(self, line: int, byte_column: int) -> int:
        """Count the characters that the first bytes of a line make."""
        text = self.lines[line - 1]
        if text.isascii():
            return byte_column
        return len(text.encode()[:byte_column].decode(errors="ignore"))


def is_notebook(path: str) -> bool:
    """Say whether the name of a file is that of a notebook."""
    return path.endswith(".ipynb")


def may_configure(path: str) -> bool:
    """Say whether the name of a file is that of a configuration."""
    return path.lower().endswith(CONFIG_ENDINGS)


def read_bytes(path: str) -> bytes:
    """Return what a file holds; raise :class:`SourceError` where it cannot be read or is too large."""
    limit = MAX_NOTEBOOK_BYTES if is_notebook(path) else MAX_BYTES
    try:
        # Looked at before it is opened, which for a pipe would wait for somebody to write.
        status = os.stat(path)
        if not stat.S_ISREG(status.st_mode):
            raise SourceError(path, "cannot be read: it is not a regular file")
        if status.st_size > limit:
            raise SourceError(path, f"is over {limit // 1_000_000} MB and not linted")
        with open(path, "rb") as stream:
            return stream.read()
    except OSError as error:
        raise SourceError(path, f"cannot be read: {error.strerror or error}") from error


def _end(node: Placed) -> tuple[int, int]:
    """Return the line and the byte column at which a parsed node ends."""
    assert node.end_lineno is not None
    assert node.end_col_offset is not None
    return node.end_lineno, node.end_col_offset


def decode(path: str, data: bytes) -> tuple[str, str, bool]:
    """Decode the bytes of a Python file; return the encoding, and whether a byte order mark is there."""
    encoding = "utf-8"
    bom = data.startswith(codecs.BOM_UTF8)
    if bom:
        data = data[len(codecs.BOM_UTF8) :]
    elif data.startswith((codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)):
        raise SourceError(path, "is encoded in UTF-32; Python reads UTF-8, save it as that")
    elif data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        raise SourceError(path, "is encoded in UTF-16; Python reads UTF-8, save it as that")
    else:
        encoding = _named_encoding(data) or encoding
    nul = data.find(b"\0")
    if nul != -1:
        raise SourceError(path, "has a NUL byte: it is no Python source", _line_at(data, nul))
    try:
        return data.decode(encoding), encoding, bom
    except LookupError as error:
        raise SourceError(path, f"names an unknown encoding, `{encoding}`", 1) from error
    except UnicodeDecodeError as error:
        reason = f"is not {error.encoding}: byte 0x{data[error.start]:02x} cannot be decoded"
        raise SourceError(path, reason, _line_at(data, error.start)) from error
    except Exception as error:
        # A codec may raise anything: `undefined` does so on purpose.
        raise SourceError(path, f"cannot be decoded as `{encoding}`", 1) from error


def _named_encoding(data: bytes) -> str | None:
    """Return the encoding that one of the first two lines names, where both may (PEP 263)."""
    for line in _BYTE_LINE_END.split(data[:_COOKIE_BYTES], 2)[:2]:
        if match := _COOKIE.match(line):
            return match[1].decode()
        if line.strip() and not line.lstrip().startswith(b"#"):
            break
    return None


def _line_at(data: bytes, at: int) -> int:
    """Return the number of the line that holds a byte."""
    return len(_BYTE_LINE_END.findall(data, 0, at)) + 1


def _newer(error: SyntaxError) -> str:
    """Return a note where what this Python cannot parse is the syntax of a later one."""
    here = sys.version_info[:2]
    if here >= (3, 12) or not _OF_3_12.match(error.text or ""):
        return ""
    return (
        f" (it is of Python 3.12, and this is {here[0]}.{here[1]}: run trainlint with a later one)"
    )


def parse(path: str, text: str) -> ast.Module:
    """Parse a text; every way in which that fails is a :class:`SourceError`."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ast.parse(text, path)
    except SyntaxError as error:
        reason = f"syntax error: {error.msg}{_newer(error)}"
        raise SourceError(path, reason, error.lineno) from error
    except (RecursionError, MemoryError) as error:
        raise SourceError(path, "is nested too deeply to be parsed") from error
    except ValueError as error:
        raise SourceError(path, f"cannot be parsed: {error}") from error
