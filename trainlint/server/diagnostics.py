"""Diagnoses and failures, as the protocol has them: diagnostics."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from lsprotocol.types import (
    CodeDescription,
    Diagnostic,
    DiagnosticRelatedInformation,
    DiagnosticSeverity,
    DiagnosticTag,
    Location,
    PublishDiagnosticsClientCapabilities,
)
from pygls.uris import from_fs_path

from trainlint.core.diagnosis import Severity
from trainlint.core.site import page_url
from trainlint.server.positions import Positions
from trainlint.static.suppress import UNUSED

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from trainlint.core.catalogue import Catalogue
    from trainlint.core.diagnosis import Diagnosis
    from trainlint.core.report import Failure
    from trainlint.server.documents import Opened
    from trainlint.server.workspace import Linted

SOURCE: Final = "trainlint"

_SEVERITIES: Final = {
    Severity.ERROR: DiagnosticSeverity.Error,
    Severity.WARNING: DiagnosticSeverity.Warning,
    Severity.ADVICE: DiagnosticSeverity.Information,
}


class Translator:
    """Turns what linting gave into what one client understands; ``opened`` are its documents by path."""

    def __init__(
        self,
        catalogue: Catalogue,
        encoding: str,
        abilities: PublishDiagnosticsClientCapabilities | None,
        opened: Mapping[str, Opened],
    ) -> None:
        self._catalogue = catalogue
        self._encoding = encoding
        self._abilities = abilities or PublishDiagnosticsClientCapabilities()
        self._opened = opened

    def positions(self, linted: Linted) -> Positions:
        """Return where things stand in a document."""
        return Positions(linted.lines, self._encoding, mark=linted.has_mark)

    def diagnostics(self, linted: Linted) -> dict[int | None, list[Diagnostic]]:
        """Return all that is to be said, in order, by the cells of a notebook; None is the file as one."""
        found: dict[int | None, list[Diagnostic]] = {}
        for failure in linted.report.failures:
            found.setdefault(failure.cell, []).append(self._failure(failure, linted))
        for one in linted.report.diagnoses:
            found.setdefault(linted.cell_of(one), []).append(self.diagnostic(one, linted))
        return found

    def diagnostic(self, diagnosis: Diagnosis, linted: Linted) -> Diagnostic:
        """Return one diagnosis, with its remedy and a link to its page where a site is known."""
        rule = self._catalogue.find(diagnosis.rule)
        address = None if rule is None else page_url(rule)
        linked = address is not None and self._abilities.code_description_support
        related = list(self._related(diagnosis, linted))
        return Diagnostic(
            range=self.positions(linted).range(diagnosis.span),
            severity=_SEVERITIES[diagnosis.severity],
            code=diagnosis.code,
            code_description=CodeDescription(address) if linked and address else None,
            source=SOURCE,
            message=f"{diagnosis.message}\n{diagnosis.remedy}",
            tags=[DiagnosticTag.Unnecessary] if self._fades(diagnosis) else None,
            related_information=related or None,
        )

    def _failure(self, failure: Failure, linted: Linted) -> Diagnostic:
        """Return something that could not be linted, as an error of its line."""
        cells = () if linted.source is None else linted.source.cells
        first = next((one.first for one in cells if one.number == failure.cell), 1)
        line = first + (failure.line or 1) - 1
        return Diagnostic(
            range=self.positions(linted).whole_line(line, first),
            severity=DiagnosticSeverity.Error,
            source=SOURCE,
            message=failure.reason,
        )

    def _related(
        self, diagnosis: Diagnosis, linted: Linted
    ) -> Iterator[DiagnosticRelatedInformation]:
        """Yield the other places that explain a diagnosis."""
        if not self._abilities.related_information:
            return
        for one in diagnosis.related:
            positions = self.positions(linted)
            if one.path:
                positions = Positions(linted.report.others.get(one.path, {}), self._encoding)
            path = one.path or linted.path
            cell = None if one.span.cell is None else one.span.cell.number
            opened = self._opened.get(path)
            uri = from_fs_path(path) if opened is None else opened.part(cell).uri
            if uri is not None:
                yield DiagnosticRelatedInformation(
                    Location(uri, positions.range(one.span)), one.label
                )

    def _fades(self, diagnosis: Diagnosis) -> bool:
        """Say whether the client shows the place as of no use."""
        return diagnosis.rule == UNUSED and self._abilities.tag_support is not None
