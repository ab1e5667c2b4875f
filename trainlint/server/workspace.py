"""The files of a workspace as the editor has them: what is open wins over the disk.

Nothing here knows the protocol. A workspace is used by one thread at a time.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Final

from trainlint.core.baseline import Baseline
from trainlint.core.config import Config, resolve
from trainlint.core.config_file import FILE_NAMES
from trainlint.core.errors import UserError
from trainlint.core.report import FileReport
from trainlint.static.discovery import discover, is_forced_out
from trainlint.static.engine import lint_source
from trainlint.static.fixer import mend
from trainlint.static.noqa import silenced
from trainlint.static.project import Project
from trainlint.static.source import SourceError, SourceFile, is_notebook, may_configure

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from trainlint.core.catalogue import Catalogue
    from trainlint.core.config import Settings
    from trainlint.core.diagnosis import Diagnosis
    from trainlint.core.hierarchy import Hierarchy

_MARK: Final = "\ufeff"
_LINE_END: Final = re.compile(r"\r\n|\r|\n")
_MOST_FILES: Final = 20_000
"""So many files make a project at most: somebody may open the whole disk."""

Stamp = tuple[int, int, int]
"""What tells one state of a file on disk from another."""


@dataclass(frozen=True)
class Linted:
    """What linting a document gave, and the text that was linted."""

    path: str
    text: str
    report: FileReport
    source: SourceFile | None = None
    """The document, where it can be read."""
    settings: Settings | None = None
    """The settings of the file, where it has any."""
    unusable: str = ""
    """Why it was not linted, where its settings cannot be used."""

    @cached_property
    def has_mark(self) -> bool:
        """Whether the document begins with a byte order mark."""
        return self.text.startswith(_MARK)

    def cell_of(self, diagnosis: Diagnosis) -> int | None:
        """Return the number of the cell in which a diagnosis stands, where this is a notebook."""
        return None if diagnosis.span.cell is None else diagnosis.span.cell.number

    @cached_property
    def lines(self) -> Mapping[int, str]:
        """The lines of the document by their numbers."""
        lines = self.source.lines if self.source else _LINE_END.split(_without_mark(self.text))
        return dict(enumerate(lines, start=1))


class Workspace:
    """Lints documents of an editor, each as one file of a project: all files of the workspace.

    ``configure`` gives configurations that nobody has read yet; it is asked again when one changes.
    """

    def __init__(self, catalogue: Catalogue, configure: Callable[[], Hierarchy]) -> None:
        self.catalogue = catalogue
        self._configure = configure
        self._hierarchy: Hierarchy | None = None
        self._watched: dict[str, Stamp | None] = {}
        self._roots: tuple[str, ...] = ()
        self._texts: dict[str, str] = {}
        self._sources: dict[str, SourceFile] = {}
        self._read: dict[str, str] = {}
        """The texts that those were made from."""
        self._files: dict[str, Stamp | None] = {}
        self._project: Project | None = None
        self._looked = False

    # -- what there is ------------------------------------------------------------------------

    def set_roots(self, roots: tuple[str, ...]) -> None:
        """Make the files in some folders the project."""
        if roots != self._roots:
            self._roots = roots
            self._looked = False

    def look_again(self) -> None:
        """Look for files that have come or gone before the next document is linted."""
        self._looked = False

    def set_texts(self, texts: Mapping[str, str]) -> None:
        """Make these the open documents, by their paths."""
        for path in set(self._texts) - set(texts):
            self._sources.pop(path, None)
            self._looked = False
            if self._project is not None:
                self._project.forget(path)
        for path, text in texts.items():
            if self._texts.get(path) != text:
                self._understand(path, text)
        if texts.keys() - self._files.keys():
            self._project = None
        self._texts = dict(texts)

    def _understand(self, path: str, text: str) -> None:
        """Let the project know another text of a document; while that is broken, the last good one."""
        try:
            source = _read(path, text)
        except SourceError:
            return
        self._sources[path] = source
        self._read[path] = text
        if self._project is not None:
            self._project.replace(source)

    def relatives(self, path: str) -> list[str]:
        """Return the other open documents to which imports lead, in whatever direction."""
        if len(self._texts) == 1:
            return []
        project = self._current_project()
        neighbours: dict[str, set[str]] = {}
        for one in self._files:
            for other in project.imported_files(one):
                neighbours.setdefault(one, set()).add(other)
                neighbours.setdefault(other, set()).add(one)
        seen, ahead = {path}, [path]
        while ahead:
            new = neighbours.get(ahead.pop(), set()) - seen
            seen |= new
            ahead += new
        return [one for one in self._texts if one in seen and one != path]

    # -- linting ------------------------------------------------------------------------------

    def lint(self, path: str) -> Linted:
        """Lint an open document."""
        text = self._texts[path]
        try:
            settings = self._settings_of(path)
            left_out = self._is_left_out(path)
        except UserError as error:
            return Linted(path, text, FileReport(path), unusable=str(error))
        if left_out:
            return Linted(path, text, FileReport(path))
        try:
            source = self._source(path, text)
        except SourceError as error:
            # Of what is broken nobody knows whether it was to configure a training.
            failures = [] if may_configure(path) else [error.failure]
            return Linted(path, text, FileReport(path, failures=failures))
        if source.is_config and not source.tree.body:
            # Nobody has named it, and it is about something else.
            return Linted(path, text, FileReport(path))
        report = lint_source(source, settings, project=self._current_project())
        try:
            report = self._without_known(report, settings)
        except UserError as error:
            return Linted(path, text, FileReport(path), unusable=str(error))
        return Linted(path, text, report, source, settings)

    def _without_known(self, report: FileReport, settings: Settings) -> FileReport:
        """Return a report without what the configured baseline knows."""
        if not settings.baseline:
            return report
        (left,) = Baseline.read(settings.baseline).hide([report])
        return left

    def with_safe_fixes(self, linted: Linted) -> SourceFile | None:
        """Return a linted document with all safe fixes made; None where it cannot be read."""
        if linted.source is None or linted.settings is None:
            return linted.source
        project = self._current_project()
        try:
            mended = mend(linted.source, linted.settings, project, unsafe=False)
        finally:
            project.replace(self._sources.get(linted.path, linted.source))
        return mended.after

    def with_comment(self, linted: Linted, diagnosis: Diagnosis) -> SourceFile | None:
        """Return a linted document with a comment that silences a diagnosis, if it has room."""
        if linted.source is None or linted.settings is None:
            return linted.source
        try:
            after, _, _ = silenced(linted.source, [diagnosis], linted.settings.known)
        except SourceError:
            return linted.source
        return after

    def _source(self, path: str, text: str) -> SourceFile:
        """Return the source file of a document; raise `SourceError` where it is not Python."""
        known = self._sources.get(path)
        if known is not None and self._read[path] == text:
            return known
        return _read(path, text)

    # -- the project --------------------------------------------------------------------------

    def _current_project(self) -> Project:
        """Return the project as the disk and the open documents have it now."""
        if not self._looked:
            self._looked = True
            found = dict.fromkeys(self._discovered())
            if found.keys() != self._files.keys():
                self._files = {path: self._files.get(path) for path in found}
                self._project = None
        self._files |= dict.fromkeys(self._texts.keys() - self._files.keys())
        project = self._project
        if project is None:
            self._files = {path: _stamp(path) for path in self._files}
            project = self._project = Project(self._files)
            for source in self._sources.values():
                project.replace(source)
            return project
        for path, stamp in self._files.items():
            now = _stamp(path)
            if now != stamp:
                self._files[path] = now
                if path not in self._sources:
                    project.forget(path)
        return project

    def _discovered(self) -> list[str]:
        """Return the files of the workspace, open documents among them."""
        found: dict[str, None] = {}
        for one in discover(self._roots, self._usable_settings_of):
            if isinstance(one, str):
                found[os.path.abspath(one)] = None
            if len(found) == _MOST_FILES:
                break
        return [*found, *(path for path in self._texts if path not in found)]

    # -- settings -----------------------------------------------------------------------------

    def _settings_of(self, path: str) -> Settings:
        """Return the settings of a file; configurations are read again where one has changed."""
        candidates = _configurations_above(path)
        if any(self._watched.get(one, stamp) != stamp for one, stamp in candidates.items()) or any(
            _stamp(one) != stamp for one, stamp in self._watched.items()
        ):
            self._hierarchy = None
            self._watched.clear()
            self._looked = False
        self._watched |= candidates
        hierarchy = self._hierarchy_now()
        settings = hierarchy.settings([path])
        for one in hierarchy.files:
            self._watched.setdefault(one, _stamp(one))
        return settings

    def _usable_settings_of(self, folder: str) -> Settings:
        """Return the settings of a folder; the usual ones where a configuration is broken."""
        try:
            return self._hierarchy_now().settings_of(folder)
        except UserError:
            return resolve(self.catalogue, Config())

    def _hierarchy_now(self) -> Hierarchy:
        """Return the configurations."""
        if self._hierarchy is None:
            self._hierarchy = self._configure()
        return self._hierarchy

    def _is_left_out(self, path: str) -> bool:
        """Say whether the settings leave a file out: a document that is open was not named by the user."""
        root = next((one for one in self._roots if _lies_in(path, one)), None)

        def settings_of(folder: str) -> Settings:
            settings = self._usable_settings_of(folder)
            return replace(settings, force_exclude=True, folder=root or settings.folder)

        return is_forced_out(path, settings_of)


def _read(path: str, text: str) -> SourceFile:
    """Read what is open: Python, a notebook or a configuration; raise `SourceError` if that is broken."""
    if is_notebook(path) or may_configure(path):
        return SourceFile.from_bytes(path, text.encode(errors="surrogatepass"))
    return SourceFile(path, _without_mark(text), bom=text.startswith(_MARK))


def _without_mark(text: str) -> str:
    """Return a text without the byte order mark at its start."""
    return text.removeprefix(_MARK)


def _stamp(path: str) -> Stamp | None:
    """Return what tells the state of a file; None where there is none."""
    try:
        status = os.stat(path)
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size, status.st_ino


def _configurations_above(path: str) -> dict[str, Stamp | None]:
    """Return the places where a configuration of a file may lie, and what is there."""
    found = {}
    folder = os.path.dirname(path)
    while True:
        for name in FILE_NAMES:
            one = os.path.join(folder, name)
            found[one] = _stamp(one)
        above = os.path.dirname(folder)
        if above == folder:
            return found
        folder = above


def _lies_in(path: str, folder: str) -> bool:
    """Say whether a path lies in a folder or below it."""
    return path.startswith(os.path.join(folder, ""))
