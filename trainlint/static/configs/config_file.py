"""A configuration file as a source file: the program that it stands for, at its places in the text."""

from __future__ import annotations

import ast
import codecs
import os
from typing import TYPE_CHECKING, Final

from trainlint.static.configs.json_text import read_json
from trainlint.static.configs.program import program_of
from trainlint.static.configs.recognise import may_be_config, recognise
from trainlint.static.configs.toml_text import read_toml
from trainlint.static.configs.values import CannotReadError, Scalar, Sequence, Text
from trainlint.static.configs.yaml_text import read_yaml
from trainlint.static.source import SourceError, SourceFile, read_bytes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from trainlint.static.configs.values import Value

MAX_BYTES: Final = 1_000_000
"""Larger files are data: nobody writes so much of a configuration."""

_READERS: Final[dict[str, Callable[[str], Text]]] = {
    ".json": read_json,
    ".toml": read_toml,
    ".yaml": read_yaml,
    ".yml": read_yaml,
}
_OTHERS: Final = frozenset(
    {
        *(
            "cargo.toml",
            "composer.json",
            "composer.lock",
            "docker-compose.yaml",
            "docker-compose.yml",
        ),
        *(
            "environment.yaml",
            "environment.yml",
            "jsconfig.json",
            "mkdocs.yml",
            "package-lock.json",
        ),
        *(
            "package.json",
            "pyproject.toml",
            "trainer_state.json",
            "trainlint.toml",
            "tsconfig.json",
        ),
    }
)
"""Files that are something else by their name, whatever stands in them."""
_OTHER_FOLDERS: Final = (".github", ".gitlab", ".circleci", ".vscode", ".idea")


class ConfigFile(SourceFile):
    """The text of one configuration file; ``tree`` is the program that it stands for.

    The program is empty where the file configures nothing of a training that is known. Raises
    :class:`SourceError` where the text is not what the name of the file says.
    """

    is_config = True

    def __init__(self, path: str, text: str, *, bom: bool = False) -> None:
        self._text: Text | None = None
        self._replaceable: set[tuple[int, int]] = set()
        super().__init__(path, text, bom=bom)

    @classmethod
    def read(cls, path: str) -> ConfigFile:
        """Read the file at a path."""
        return cls.from_bytes(path, read_bytes(path))

    @classmethod
    def from_bytes(cls, path: str, data: bytes) -> ConfigFile:
        """Decode bytes, which are UTF-8, and read them."""
        if len(data) > MAX_BYTES:
            raise SourceError(path, f"is over {MAX_BYTES // 1_000_000} MB and not linted")
        bom = data.startswith(codecs.BOM_UTF8)
        try:
            text = data.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            reason = f"is not UTF-8: byte 0x{data[error.start]:02x} cannot be decoded"
            raise SourceError(path, reason, data.count(b"\n", 0, error.start) + 1) from error
        return cls(path, text, bom=bom)

    def with_text(self, text: str) -> ConfigFile:
        """Return the same file with another text; raise :class:`SourceError` where it cannot be read."""
        return ConfigFile(self.path, text, bom=self.bom)

    def comments(self) -> Iterator[tuple[int, int, str]]:
        """Yield the line, the offset and the text of each comment."""
        for comment in () if self._text is None else self._text.comments:
            line = self.span_of_offsets(comment.start, comment.start).line
            yield line, comment.start, comment.text

    def may_replace(self, start: int, end: int) -> bool:
        """Say whether a part of a call may be written anew: the name of its class, or one of its values."""
        return (start, end) in self._replaceable

    def _understood(self) -> ast.Module:
        """Read the text, recognise what it configures, and write that as a program."""
        if is_something_else(self.path):
            return ast.Module([], [])
        read = _READERS[os.path.splitext(self.path)[1].lower()]
        try:
            self._text = read(self.text)
        except CannotReadError as error:
            raise SourceError(self.path, error.reason, error.line) from error
        documents = [recognise(one) for one in self._text.documents]
        for document in documents:
            for part in document.parts:
                start, end = part.place
                if self.text[start:end].endswith(part.kind):
                    self._replaceable |= {(start, end), (end - len(part.kind), end)}
                self._replaceable.update(
                    (value.start, value.end)
                    for value in part.arguments.values()
                    if self._may_be_rewritten(value)
                )
        return program_of(documents, self.line_starts)

    def _may_be_rewritten(self, value: Value) -> bool:
        """Say whether what Python writes instead of a value is right here too: numbers, lists on a line."""
        if isinstance(value, Sequence):
            return value.in_brackets and "\n" not in self.text[value.start : value.end]
        return isinstance(value, Scalar) and type(value.value) in {int, float}

    def _characters(self, line: int, byte_column: int) -> int:
        """Return a column: the nodes of the program count in characters already."""
        del line
        return byte_column


def is_training_config(path: str) -> bool | None:
    """Say whether a file configures something of a training that is known; None where PyYAML is missing.

    For files that nobody has named: one that cannot be read is none.
    """
    if is_something_else(path):
        return False
    try:
        if os.stat(path).st_size > MAX_BYTES:
            return False
        data = read_bytes(path)
        if not may_be_config(data.decode("utf-8", errors="replace")):
            return False
        if path.lower().endswith((".yaml", ".yml")) and not _yaml_is_installed():
            return None
        return bool(ConfigFile.from_bytes(path, data).tree.body)
    except (OSError, SourceError):
        return False


def is_something_else(path: str) -> bool:
    """Say whether a file is of another kind by its name or its folder."""
    *folders, name = path.replace(os.sep, "/").split("/")
    lower = name.lower()
    if lower in _OTHERS or (lower.startswith("tsconfig.") and lower.endswith(".json")):
        return True
    return any(folder in _OTHER_FOLDERS for folder in folders) or lower.endswith(".schema.json")


def _yaml_is_installed() -> bool:
    """Say whether YAML can be read."""
    from trainlint.static.configs.yaml_text import is_installed  # noqa: PLC0415 - beside its one use

    return is_installed()
