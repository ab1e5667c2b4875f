"""The files that are linted together: which file an import means, and the model of each."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, Final, NamedTuple

from trainlint.static.model import FileModel
from trainlint.static.source import SourceError, SourceFile

if TYPE_CHECKING:
    from collections.abc import Iterable

_HELD: Final = 1_000_000
"""After so many characters of source the models are let go: each takes some sixty times its text."""

_INIT: Final = "__init__.py"

_IMPORT: Final = re.compile(
    r"^[ \t]*(?:from[ \t]+([.\w]+)[ \t]+import[ \t]+(?:\(([^)]*)\)|(.*))|import[ \t]+(.+))",
    re.MULTILINE,
)
"""An import, found without parsing: the module and the names, or the modules."""


class Located(NamedTuple):
    """The file of the project that an imported name leads to, and what of the name is left."""

    path: str
    rest: tuple[str, ...]


class Project:
    """Finds the files that the files of one run import, and models each file once.

    Imports are resolved as Python does, as far as text tells: relative ones from the file's own
    folder, absolute ones from the folder that holds the file's package, the folders above it and,
    for scripts, the file's own folder. Only files that are part of the run are ever read.
    """

    def __init__(self, paths: Iterable[str] = ()) -> None:
        self._paths = {os.path.abspath(path): path for path in paths}
        self._stems: set[str] = set()
        self._folders: set[str] = set()
        for path in self._paths:
            folder, name = os.path.split(path)
            self._stems.add(name[:-3])
            while folder not in self._folders:
                self._folders.add(folder)
                folder, name = os.path.split(folder)
                self._stems.add(name)
        self._models: dict[str, FileModel | None] = {}
        self._held = 0
        self._located: dict[tuple[str, str], Located | None] = {}
        self._importers: dict[str, dict[str, set[str]]] | None = None
        self._bases: dict[str, tuple[str, ...]] = {}

    def read(self, path: str) -> SourceFile:
        """Return a source file, one that is held if there is one; raise `SourceError` as reading does."""
        model = self._models.get(os.path.abspath(path))
        return SourceFile.read(path) if model is None else model.source

    def source(self, path: str) -> SourceFile | None:
        """Return the source file of a model that is held."""
        model = self._models.get(os.path.abspath(path))
        return None if model is None else model.source

    def adopt(self, source: SourceFile) -> FileModel:
        """Return the model of a source file that has been read already."""
        key = os.path.abspath(source.path)
        model = self._models.get(key)
        if model is None:
            model = self._models[key] = FileModel(source, self)
            self._held += len(source.text)
        return model

    def model(self, path: str) -> FileModel | None:
        """Return the model of a file of the project; None where it cannot be read."""
        if path not in self._models:
            try:
                self.adopt(SourceFile.read(self._paths[path]))
            except (SourceError, RecursionError):
                self._models[path] = None
        return self._models[path]

    def settle(self) -> None:
        """Let the models go where they have become many; asked between two files, never within one."""
        if self._held > _HELD:
            self.close()

    def close(self) -> None:
        """Let all models go."""
        for model in self._models.values():
            if model is not None:
                model.close()
        self._models.clear()
        self._held = 0

    def locate(self, imported: str, importer: str) -> Located | None:
        """Return the file that a name imported by a file leads to; None where it is none of ours.

        ``imported`` is dotted, with leading dots where the import is relative.
        """
        name = imported.lstrip(".")
        if not imported.startswith(".") and name.partition(".")[0] not in self._stems:
            return None
        folder = os.path.dirname(os.path.abspath(importer))
        key = (folder, imported)
        if key not in self._located:
            self._located[key] = self._locate(name, len(imported) - len(name), folder)
        return self._located[key]

    def importers(self, path: str, name: str) -> set[str]:
        """Return the files that may import a name from a file, directly or where it is re-exported."""
        if self._importers is None:
            self._importers = self._read_imports()
        found: set[str] = set()
        queue, seen = [os.path.abspath(path)], set()
        while queue:
            source = queue.pop()
            if source in seen:
                continue
            seen.add(source)
            for importer, names in self._importers.get(source, {}).items():
                if name in names or "*" in names:
                    found.add(importer)
                    if importer.endswith(_INIT):
                        queue.append(importer)
        return found

    def _read_imports(self) -> dict[str, dict[str, set[str]]]:
        """Return by file which files import what from it: names, or ``*`` for the file as a whole."""
        found: dict[str, dict[str, set[str]]] = {}
        for path, shown in self._paths.items():
            try:
                with open(shown, encoding="utf-8", errors="replace") as stream:
                    text = stream.read()
            except OSError:
                continue
            for match in _IMPORT.finditer(text):
                module, several, one, modules = match.groups()
                if module is None:
                    for part in modules.partition("#")[0].split(","):
                        self._note(found, path, part.partition(" as ")[0].strip(), "*")
                    continue
                separator = "" if module.endswith(".") else "."
                listed = several if several is not None else one
                for line in listed.splitlines():
                    for part in line.partition("#")[0].split(","):
                        name = part.partition(" as ")[0].strip(" \t()\\")
                        if name:
                            self._note(found, path, f"{module}{separator}{name}", name)
        return found

    def _note(
        self, found: dict[str, dict[str, set[str]]], path: str, imported: str, name: str
    ) -> None:
        """Keep that a file imports a name from the file of the project that it leads to."""
        located = self.locate(imported, path) if imported else None
        if located is not None and located.path != path:
            whole = name if located.rest else "*"
            found.setdefault(located.path, {}).setdefault(path, set()).add(whole)

    def _locate(self, name: str, level: int, folder: str) -> Located | None:
        """Look for the longest part of a name that is a file, in each folder where it may start."""
        for _ in range(level - 1):
            folder = os.path.dirname(folder)
        parts = tuple(name.split(".")) if name else ()
        for base in (folder,) if level else self._bases_of(folder):
            for end in range(len(parts), -1 if level else 0, -1):
                stem = os.path.join(base, *parts[:end])
                for path in (f"{stem}.py", os.path.join(stem, _INIT)):
                    if path in self._paths and (end or path.endswith(_INIT)):
                        return Located(path, parts[end:])
        return None

    def _bases_of(self, folder: str) -> tuple[str, ...]:
        """Return the folders from which an absolute import of a file in a folder may start."""
        known = self._bases.get(folder)
        if known is not None:
            return known
        top = folder
        while os.path.join(top, _INIT) in self._paths:
            top = os.path.dirname(top)
        found = [top]
        above = os.path.dirname(top)
        while above in self._folders and above != found[-1]:
            found.append(above)
            above = os.path.dirname(above)
        if top != folder:
            found.append(folder)
        self._bases[folder] = tuple(found)
        return self._bases[folder]
