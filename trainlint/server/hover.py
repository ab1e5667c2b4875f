"""What is shown while the pointer rests on a diagnosis: the pages of its rules."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lsprotocol.types import Hover, MarkupContent, MarkupKind

from trainlint.core.page import read_page
from trainlint.server.actions import contains

if TYPE_CHECKING:
    from lsprotocol.types import Position

    from trainlint.core.catalogue import Catalogue
    from trainlint.server.diagnostics import Translator
    from trainlint.server.workspace import Linted


def hover_at(
    place: Position,
    cell: int | None,
    linted: Linted,
    catalogue: Catalogue,
    translator: Translator,
    kind: MarkupKind,
) -> Hover | None:
    """Return the pages of the rules that speak at a place of a document, or of a cell of it."""
    positions = translator.positions(linted)
    found = [
        one
        for one in linted.report.diagnoses
        if linted.cell_of(one) == cell and contains(positions.range(one.span), place)
    ]
    pages = []
    for name in dict.fromkeys(one.rule for one in found):
        rule = catalogue.find(name)
        page = None if rule is None else read_page(rule)
        if page is not None:
            pages.append(page.text.strip())
    if not pages:
        return None
    smallest = max(found, key=lambda one: one.span)
    return Hover(MarkupContent(kind, "\n\n---\n\n".join(pages)), positions.range(smallest.span))
