"""What the editor offers to do about diagnoses: fixes, all safe fixes, a comment that silences one."""

from __future__ import annotations

from difflib import SequenceMatcher
from typing import TYPE_CHECKING, Final

from lsprotocol.types import (
    CodeAction,
    CodeActionKind,
    OptionalVersionedTextDocumentIdentifier,
    Range,
    TextDocumentEdit,
    TextEdit,
    WorkspaceEdit,
)

from trainlint.core.fix import Safety, apply_fixes
from trainlint.static.source import SourceError
from trainlint.static.suppress import UNUSED

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from lsprotocol.types import Position

    from trainlint.core.diagnosis import Diagnosis
    from trainlint.core.fix import Fix
    from trainlint.server.diagnostics import Translator
    from trainlint.server.documents import Opened
    from trainlint.server.workspace import Linted, Workspace
    from trainlint.static.source import SourceFile

FIX_ALL: Final = f"{CodeActionKind.SourceFixAll.value}.trainlint"
FIX_NOTEBOOK: Final = f"notebook.{FIX_ALL}"
"""The same for a notebook: editors ask each cell for the other, all at once, and would edit it so often."""
KINDS: Final = (CodeActionKind.QuickFix, FIX_ALL, FIX_NOTEBOOK)


Edits = dict[int | None, list[TextEdit]]
"""Edits by the cell that they are of; None where the document is in one piece."""


class Document:
    """What is open for the client, in the version that was linted, and how it takes edits."""

    def __init__(self, opened: Opened, *, versioned: bool) -> None:
        self._opened = opened
        self._versioned = versioned

    def edit(self, edits: Edits) -> WorkspaceEdit:
        """Return edits of the document, bound to the version that they are for where that is understood."""
        # Even where there is nothing to edit the client is told of what.
        parts = [(self._opened.part(cell), some) for cell, some in (edits or {None: []}).items()]
        if not self._versioned:
            return WorkspaceEdit(changes={part.uri: some for part, some in parts})
        return WorkspaceEdit(
            document_changes=[
                TextDocumentEdit(
                    OptionalVersionedTextDocumentIdentifier(part.uri, part.version), list(some)
                )
                for part, some in parts
            ]
        )


class Actions:
    """The code actions of one document as it was linted."""

    def __init__(
        self, workspace: Workspace, translator: Translator, linted: Linted, document: Document
    ) -> None:
        self._workspace = workspace
        self._translator = translator
        self._linted = linted
        self._document = document
        self._positions = translator.positions(linted)

    def in_range(self, wanted: Range, cell: int | None) -> Iterator[CodeAction]:
        """Yield what can be done about the diagnoses in a range: safe fixes, unsafe ones, comments.

        The range is one of a cell, where the document is a notebook.
        """
        inside = [
            one
            for one in self._linted.report.diagnoses
            if self._linted.cell_of(one) == cell
            and overlap(self._positions.range(one.span), wanted)
        ]
        fixes = [action for one in inside for action in self._fix(one)]
        yield from sorted(fixes, key=lambda action: not action.is_preferred)
        for one in inside:
            yield from self._silence(one)

    @property
    def kind_of_all(self) -> str:
        """The kind of action that makes all fixes of such a document."""
        return FIX_NOTEBOOK if self._linted.report.cells else FIX_ALL

    @property
    def has_safe_fixes(self) -> bool:
        """Whether there is something for :meth:`all_edits` to do."""
        fixes = (one.fix for one in self._linted.report.diagnoses)
        return any(one is not None and one.safety is Safety.SAFE for one in fixes)

    def fix_all(self, *, data: object = None) -> CodeAction:
        """Return the action that makes all safe fixes; with ``data`` its edits are asked for later."""
        return CodeAction(
            title="trainlint: make all safe fixes",
            kind=self.kind_of_all,
            edit=self.all_edits() if data is None else None,
            data=data,
        )

    def all_edits(self) -> WorkspaceEdit:
        """Return the edits that make all safe fixes."""
        return self._document.edit(self._edits_to(self._workspace.with_safe_fixes(self._linted)))

    def _fix(self, diagnosis: Diagnosis) -> Iterator[CodeAction]:
        """Yield the action that makes the fix of a diagnosis, if it leaves the file one of Python."""
        source, fix = self._linted.source, diagnosis.fix
        if source is None or fix is None or not self._is_sound(fix):
            return
        safe = fix.safety is Safety.SAFE
        edits: Edits = {}
        for one in dict.fromkeys(fix.edits):
            place = self._positions.range_of_offsets(source, one.start, one.end)
            edits.setdefault(_cell(source, one.start), []).append(TextEdit(place, one.replacement))
        unsafe = " (unsafe: it changes the training or its checkpoints)"
        yield CodeAction(
            title=fix.title if safe else fix.title + unsafe,
            kind=CodeActionKind.QuickFix,
            diagnostics=[self._translator.diagnostic(diagnosis, self._linted)],
            is_preferred=safe,
            edit=self._document.edit(edits),
        )

    def _is_sound(self, fix: Fix) -> bool:
        """Say whether a fix can be made as a whole, and the file is Python then."""
        source = self._linted.source
        assert source is not None
        text, refused = apply_fixes(source.text, [fix])
        try:
            source.with_text(text)
        except SourceError:
            return False
        return not refused

    def _silence(self, diagnosis: Diagnosis) -> Iterator[CodeAction]:
        """Yield the action that silences a diagnosis, where a comment has room."""
        if diagnosis.rule == UNUSED:
            # A comment that silences nothing is to be taken out, not to be silenced by another one.
            return
        edits = self._edits_to(self._workspace.with_comment(self._linted, diagnosis))
        if edits:
            yield CodeAction(
                title=f"Silence {diagnosis.code} on this line",
                kind=CodeActionKind.QuickFix,
                diagnostics=[self._translator.diagnostic(diagnosis, self._linted)],
                edit=self._document.edit(edits),
            )

    def _edits_to(self, after: SourceFile | None) -> Edits:
        """Return the edits that turn the document into what it is then, each of whole lines."""
        source = self._linted.source
        found: Edits = {}
        if source is None or after is None or after.text == source.text:
            return found
        for (begin, before), (_, text) in zip(source.sources, after.sources, strict=True):
            old, new = (one.splitlines(keepends=True) for one in (before, text))
            starts = [begin]
            for line in old:
                starts.append(starts[-1] + len(line))
            edits = [
                TextEdit(
                    self._positions.range_of_offsets(source, starts[first], starts[last]),
                    "".join(new[other_first:other_last]),
                )
                for what, first, last, other_first, other_last in SequenceMatcher(
                    None, old, new, autojunk=False
                ).get_opcodes()
                if what != "equal"
            ]
            if edits:
                found[_cell(source, begin)] = edits
        return found


def _cell(source: SourceFile, offset: int) -> int | None:
    """Return the number of the cell in which an offset lies."""
    cell = source.cell_at(offset)
    return None if cell is None else cell.number


def is_wanted(kind: str, only: Sequence[str] | None) -> bool:
    """Say whether actions of a kind are asked for: of that kind itself, or of one that holds it."""
    return only is None or any(f"{kind}.".startswith(f"{one}.") or not one for one in only)


def overlap(one: Range, other: Range) -> bool:
    """Say whether two ranges share a place: the end of one may be the start of the other."""
    return one.start <= other.end and other.start <= one.end


def contains(stretch: Range, place: Position) -> bool:
    """Say whether a place lies in a range or at its end."""
    return stretch.start <= place <= stretch.end
