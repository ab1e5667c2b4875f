"""What the editor has open: texts, and notebooks, whose cells are texts of their own."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from lsprotocol.types import NotebookCellKind, TextDocumentContentChangePartial

from trainlint.server.positions import characters

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from lsprotocol.types import (
        DidChangeNotebookDocumentParams,
        DidOpenNotebookDocumentParams,
        Position,
        TextDocumentContentChangeEvent,
        TextDocumentItem,
    )

_LINE: Final = re.compile(r"[^\r\n]*(?:\r\n|\r|\n|\Z)")
_PYTHON: Final = frozenset({"python", "ipython"})


@dataclass(frozen=True, slots=True)
class Opened:
    """A file that is open, as it is now."""

    uri: str
    version: int | None
    text: str
    """What the file would hold; of a notebook the JSON, with nothing but the cells."""
    cells: Mapping[int | None, Opened] = field(default_factory=dict)
    """The code cells of a notebook, by their numbers."""

    @property
    def parts(self) -> Mapping[int | None, Opened]:
        """What has lines of its own in the editor: the cells of a notebook by number, or None and it."""
        return self.cells or {None: self}

    def part(self, cell: int | None) -> Opened:
        """Return the cell of a number; the document itself where it is in one piece."""
        return self if cell is None else self.cells.get(cell, self)


class Notebook:
    """A notebook that is open.

    The texts of its cells are kept here and not by pygls: clients send the changes of cells in
    pieces, and pygls ends lines where the protocol does not.
    """

    def __init__(self, params: DidOpenNotebookDocumentParams) -> None:
        self.uri = params.notebook_document.uri
        self._version = params.notebook_document.version
        self._cells = [(one.document, one.kind) for one in params.notebook_document.cells]
        self._texts = {one.uri: one for one in params.cell_text_documents}

    def change(self, params: DidChangeNotebookDocumentParams, encoding: str) -> None:
        """Take over what has changed: cells that have come, gone or moved, and their texts."""
        self._version = params.notebook_document.version
        changes = params.change.cells
        if changes is None:
            return
        if changes.structure is not None:
            array = changes.structure.array
            new = [(one.document, one.kind) for one in array.cells or ()]
            self._cells[array.start : array.start + array.delete_count] = new
            for gone in changes.structure.did_close or ():
                self._texts.pop(gone.uri, None)
            self._texts |= {one.uri: one for one in changes.structure.did_open or ()}
        for said in changes.text_content or ():
            document = self._texts.get(said.document.uri)
            if document is not None:
                document.version = said.document.version
                for change in said.changes:
                    _apply(document, change, encoding)

    @property
    def opened(self) -> Opened:
        """The notebook as it is now."""
        cells = []
        codes: dict[int | None, Opened] = {}
        for number, (uri, kind) in enumerate(self._cells, start=1):
            document = self._texts.get(uri)
            if (
                document is None
                or kind is not NotebookCellKind.Code
                or document.language_id not in _PYTHON
            ):
                # It keeps its number.
                cells.append({"cell_type": "raw", "source": ""})
                continue
            cells.append({"cell_type": "code", "source": document.text})
            codes[number] = Opened(uri, document.version, document.text)
        text = json.dumps({"cells": cells, "metadata": {}, "nbformat": 4})
        return Opened(self.uri, self._version, text, codes)

    @property
    def uris(self) -> Iterator[str]:
        """The addresses of all cells."""
        return (uri for uri, _ in self._cells)


def _apply(
    document: TextDocumentItem, change: TextDocumentContentChangeEvent, encoding: str
) -> None:
    """Change the text of a cell."""
    if not isinstance(change, TextDocumentContentChangePartial):
        document.text = change.text
        return
    lines = _LINE.findall(document.text)
    start = _offset(lines, change.range.start, encoding)
    end = _offset(lines, change.range.end, encoding)
    document.text = document.text[:start] + change.text + document.text[end:]


def _offset(lines: list[str], place: Position, encoding: str) -> int:
    """Return how many characters stand before a place."""
    before = sum(map(len, lines[: place.line]))
    line = lines[place.line].rstrip("\r\n") if place.line < len(lines) else ""
    return before + characters(line, place.character, encoding)
