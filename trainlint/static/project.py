"""The files that are linted together: which file an import means, and what is known of each."""

from __future__ import annotations

import gc
import os
from functools import cached_property
from typing import TYPE_CHECKING, Final, NamedTuple

from trainlint.static.graph import INIT, WHOLE, Graph, Links, digest
from trainlint.static.source import SourceError, SourceFile, is_notebook, may_configure
from trainlint.static.summary import WORD, Summary, holds_events

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from trainlint.static.model import FileModel, Symbol

_HELD: Final = 1_600_000
"""After so many characters of source the models are let go: each takes some sixty times its text."""


class Located(NamedTuple):
    """The file of the project that an imported name leads to, and what of the name is left."""

    path: str
    rest: tuple[str, ...]


class _Ties:
    """What ties a file to the others; but for its imports found out when it is asked."""

    def __init__(self, imports: dict[str, list[str]], summary: Summary) -> None:
        self.imports = imports
        self._summary = summary

    @property
    def classes(self) -> tuple[str, ...]:
        """The classes that it defines."""
        return self._summary.classes

    @property
    def called(self) -> tuple[str, ...]:
        """What it counts for it that others pass."""
        return self._summary.called

    @property
    def read(self) -> str:
        """A digest of the attributes that it reads."""
        return digest(*sorted(self._summary.read))


class Project:
    """Finds the files that the files of one run import, and models each file once.

    Imports are resolved as Python does, as far as text tells: relative ones from the file's own
    folder, absolute ones from the folder that holds the file's package, the folders above it and,
    for scripts, the file's own folder. Only files that are part of the run are ever read. Most
    questions are answered from a file's :class:`Summary`; a file is parsed where a value is followed
    into it. ``links`` are what ties the files to each other, by their absolute paths, where that is known.
    """

    def __init__(self, paths: Iterable[str] = (), links: Mapping[str, Links] | None = None) -> None:
        self._mended: dict[str, SourceFile] = {}
        self._paths = {os.path.abspath(path): path for path in paths}
        self._stems: set[str] = set()
        self._folders: set[str] = set()
        for path in self._paths:
            folder, name = os.path.split(path)
            self._stems.add(os.path.splitext(name)[0])
            while folder not in self._folders:
                self._folders.add(folder)
                folder, name = os.path.split(folder)
                self._stems.add(name)
        self._models: dict[str, FileModel | None] = {}
        self._unasked: dict[str, SourceFile] = {}
        self._held = 0
        self._adrift = 0
        self._shared: set[str] = set()
        self._settled: set[str] = set()
        self._users: dict[str, set[str]] = {}
        self._summaries: dict[str, Summary] = {}
        self._located: dict[tuple[str, str], Located | None] = {}
        self._bases: dict[str, tuple[str, ...]] = {}
        self._exports: dict[tuple[str, str], Symbol | str | None] = {}
        self._leads: dict[tuple[str, str], bool] = {}
        if links is not None:
            self._graph = Graph(links)

    # -- the files themselves -----------------------------------------------------------------

    def read(self, path: str) -> SourceFile:
        """Return a source file, one that is held if there is one; raise `SourceError` as reading does."""
        key = os.path.abspath(path)
        model = self._models.get(key)
        if model is not None:
            return model.source
        if key in self._unasked:
            return self._unasked[key]
        mended = self._mended.get(key)
        return SourceFile.read(path) if mended is None else mended.with_text(mended.text)

    def replace(self, source: SourceFile) -> None:
        """Let a file have another text from now on, whatever the disk holds, for all files."""
        key = os.path.abspath(source.path)
        if key in self._paths and self.summary(key).text == source.text:
            self._mended[key] = source
            return
        before = self._seen_of(key)
        self._mended[key] = source
        self._has_changed(key, before)

    def forget(self, path: str) -> None:
        """Let a file have again, for all files, what the disk holds now."""
        key = os.path.abspath(path)
        before = self._seen_of(key)
        self._mended.pop(key, None)
        self._has_changed(key, before)

    def hanging_on(self, path: str, before: str | None = None) -> set[str]:
        """Return the absolute paths of the files that hang on one as it is now, its own among them.

        ``before`` is its text as it was: who only counts which attributes it reads is left out where
        none of theirs is among those that it reads no more, or reads now.
        """
        key = os.path.abspath(path)
        found = self._graph.hanging_on(key)
        if before is not None:
            changed = Summary(before).read ^ self.summary(key).read
            for one in self._graph.asking(key):
                text = self.summary(one).text
                if not any(name in text for name in changed):
                    found.discard(one)
        return found

    def _seen_of(self, key: str) -> tuple[Summary, set[str]] | None:
        """Return what others have seen of a file, and who hangs on it; None where it is none of ours."""
        if key not in self._paths:
            return None
        return self.summary(key), self._graph.hanging_on(key)

    def _has_changed(self, key: str, before: tuple[Summary, set[str]] | None) -> None:
        """Take nothing for known that may hang on what a file held before."""
        self._summaries.pop(key, None)
        self._exports.clear()
        self._leads.clear()
        if before is None:
            self.__dict__.pop("_graph", None)
            self._users.clear()
            self.close()
            return
        known, hanging = before
        now = self.summary(key)
        if _ties(now) == _ties(known):
            hanging = self.hanging_on(key, known.text)
        else:
            self.__dict__.pop("_graph", None)
            self._users.clear()
            hanging |= self._graph.hanging_on(key)
        for one in hanging:
            self._forget_model(one)
        if self._adrift > _HELD:
            self._adrift = 0
            gc.collect()  # a model refers to itself

    @cached_property
    def _graph(self) -> Graph:
        """Which files hang on which, as they are now."""
        return Graph(
            {path: _Ties(self._imports_of(path), self.summary(path)) for path in self._paths}
        )

    def _forget_model(self, key: str) -> FileModel | None:
        """Hold the model of a file no longer, and return it: one that is held may still look into it."""
        self._shared.discard(key)
        unasked = self._unasked.pop(key, None)
        if unasked is not None:
            self._held -= unasked.weight
        model = self._models.pop(key, None)
        if model is not None:
            self._held -= model.source.weight
            self._adrift += model.source.weight
        return model

    def _let_go(self, key: str) -> None:
        """Take the model of a file apart, if there is one; no other that is held looks into it."""
        model = self._forget_model(key)
        if model is not None:
            self._adrift -= model.source.weight
            model.close()

    def source(self, path: str) -> SourceFile | None:
        """Return the source file of a model that is held."""
        model = self._models.get(os.path.abspath(path))
        return None if model is None else model.source

    def adopt(self, source: SourceFile) -> FileModel:
        """Return the model of a source file that has been read already."""
        key = os.path.abspath(source.path)
        model = self._models.get(key)
        if model is None:
            from trainlint.static.model import FileModel  # noqa: PLC0415 - 30 ms; most files need none

            model = self._models[key] = FileModel(source, self)
            self._held += source.weight
            if self._unasked.pop(key, None) is not None:
                self._held -= source.weight
        return model

    def keep(self, source: SourceFile) -> None:
        """Hold a source file that no rule asks about, for those that import it and are linted later."""
        key = os.path.abspath(source.path)
        if key not in self._models and key not in self._unasked and self._is_awaited(key):
            self._unasked[key] = source
            self._held += source.weight

    def model(self, path: str) -> FileModel | None:
        """Return the model of a file of the project; None where it cannot be read."""
        self._shared.add(path)
        if path not in self._models:
            try:
                self.adopt(self.read(self._paths[path]))
            except (SourceError, RecursionError):
                self._models[path] = None
        return self._models[path]

    def summary(self, path: str) -> Summary:
        """Return what the text of a file of the project tells; nothing where it cannot be read."""
        found = self._summaries.get(path)
        if found is None and path in self._mended and not may_configure(path):
            found = self._summaries[path] = Summary(self._mended[path].text)
        if found is None and is_notebook(path):
            from trainlint.static.notebook import read_program  # noqa: PLC0415 - seldom needed

            found = self._summaries[path] = Summary(read_program(self._paths[path]))
        if found is None and may_configure(path):
            # Nothing is imported from it, and what looks like an import in it is none.
            found = self._summaries[path] = Summary("")
        if found is None:
            try:
                with open(self._paths[path], encoding="utf-8", errors="replace") as stream:
                    text = stream.read()
            except OSError:
                text = ""
            found = self._summaries[path] = Summary(text)
        return found

    def settle(self, path: str) -> None:
        """Let go what is not needed once a file is linted; asked between two files, never within one.

        A model that others have looked into stays, as they may remember what they saw; so does one
        that files which are linted later import from. All of them go where they have become many,
        and those of an island once its last file is linted.
        """
        key = os.path.abspath(path)
        if key in self._paths and key not in self._settled:
            self._settled.add(key)
            island = self._graph.islands[key]
            if self._settled.issuperset(island):
                for one in island:
                    self._let_go(one)
        for one in self._settled.intersection((*self._models, *self._unasked)) - self._shared:
            if not self._is_awaited(one):
                self._let_go(one)
        if self._held > _HELD:
            for one in {*self._models, *self._unasked} - self._shared:
                self._let_go(one)
        if self._held > _HELD:
            self.close()

    def _is_awaited(self, key: str) -> bool:
        """Say whether a file that is linted later imports something from one, and may look into it."""
        if key not in self._paths:
            return False
        if key not in self._users:
            self._users[key] = self._graph.users(key)
        return not self._settled.issuperset(self._users[key])

    def close(self) -> None:
        """Let all models go."""
        for model in self._models.values():
            if model is not None:
                model.close()
        self._models.clear()
        self._unasked.clear()
        self._shared.clear()
        self._held = 0

    # -- imports ------------------------------------------------------------------------------

    def links(self, path: str) -> Links:
        """Return what ties a file of the project to the others."""
        summary = self.summary(path)
        read = digest(*sorted(summary.read))
        return Links(self._imports_of(path), list(summary.classes), list(summary.called), read)

    def _imports_of(self, path: str) -> dict[str, list[str]]:
        """Return which names a file imports from which files of the project."""
        found: dict[str, dict[str, None]] = {}
        for one in self.summary(path).imports:
            imported = one.imported.removesuffix("." + WHOLE)
            located = self.locate(imported, path) if imported else None
            if located is not None and located.path != path:
                name = located.rest[0] if located.rest and one.name != WHOLE else WHOLE
                found.setdefault(located.path, {})[name] = None
        return {other: list(names) for other, names in found.items()}

    def imported_files(self, path: str) -> list[str]:
        """Return the files of the project that a file imports."""
        return list(self._imports_of(path))

    def find(self, imported: str, importer: str) -> Symbol | str | None:
        """Return what an imported name stands for.

        A symbol of another file; the qualified name of what that file itself imports from outside
        the project; None where it leads to no file of the project, or to a file as a whole.
        """
        located = self.locate(imported, importer)
        if located is None or len(located.rest) != 1:
            return None
        return self._exported(located.path, located.rest[0])

    def _exported(self, path: str, name: str) -> Symbol | str | None:
        """Return what a name is that others import from a file."""
        key = (path, name)
        if key not in self._exports:
            self._exports[key] = None  # of a cycle: nothing is known
            self._exports[key] = self._export(path, name)
        return self._exports[key]

    def _export(self, path: str, name: str) -> Symbol | str | None:
        """Look a name up among what the file defines, imports, and imports whole."""
        summary = self.summary(path)
        kind = summary.top.get(name)
        if kind is not None:
            from trainlint.static.model import Symbol  # noqa: PLC0415 - who asks has a model

            return Symbol(self, path, name, kind)
        for one in reversed(summary.imports):
            if one.name == name:
                found = self.find(one.imported, path)
                if found is not None or one.imported.startswith("."):
                    return found
                return None if self.locate(one.imported, path) else one.imported
        for one in summary.imports:
            if one.name == WHOLE:
                found = self.find(one.imported.removesuffix(WHOLE) + name, path)
                if found is not None:
                    return found
        return None

    def leads(self, path: str, name: str) -> bool:
        """Say whether events of a training loop may be met from what a file defines under a name.

        By its text, and by that of all whose names stand in it, of files with such events.
        """
        if not self.summary(path).trains:
            return False
        seen = {(path, name)}
        queue = [(path, name)]
        found = False
        while queue and not found:
            one = queue.pop()
            block = self.summary(one[0]).blocks.get(one[1], "")
            if one in self._leads:
                found = self._leads[one]
            elif holds_events(block):
                found = True
            else:
                for following in self._named_in(one[0], block):
                    if following is None:
                        found = True
                    elif following not in seen:
                        seen.add(following)
                        queue.append(following)
        self._leads.update(dict.fromkeys([(path, name)] if found else seen, found))
        return found

    def _named_in(self, path: str, block: str) -> Iterator[tuple[str, str] | None]:
        """Yield what a text of a file names of the project; None for a file as a whole that trains."""
        summary = self.summary(path)
        words = set(WORD.findall(block))
        for word in words.intersection(summary.top):
            yield path, word
        for one in summary.imports:
            if one.name != WHOLE and one.name not in words:
                continue
            symbol = self.find(one.imported, path)
            if symbol is not None and not isinstance(symbol, str):
                if symbol.may_train:
                    yield symbol.path, symbol.name
                continue
            located = self.locate(one.imported.removesuffix(f".{WHOLE}"), path)
            if located is not None and self.summary(located.path).trains:
                yield None

    def may_ask(self, path: str) -> bool:
        """Say whether it may count what other files pass to the functions of a file."""
        return self.summary(os.path.abspath(path)).asks

    def importers(self, path: str, name: str) -> set[str]:
        """Return the files that may import a name from a file, directly or where it is re-exported."""
        return self._graph.importers(os.path.abspath(path), (name,))

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

    def _locate(self, name: str, level: int, folder: str) -> Located | None:
        """Look for the longest part of a name that is a file, in each folder where it may start."""
        for _ in range(level - 1):
            folder = os.path.dirname(folder)
        parts = tuple(name.split(".")) if name else ()
        for base in (folder,) if level else self._bases_of(folder):
            for end in range(len(parts), -1 if level else 0, -1):
                stem = os.path.join(base, *parts[:end])
                for path in (f"{stem}.py", os.path.join(stem, INIT)):
                    if path in self._paths and (end or path.endswith(INIT)):
                        return Located(path, parts[end:])
        return None

    def _bases_of(self, folder: str) -> tuple[str, ...]:
        """Return the folders from which an absolute import of a file in a folder may start."""
        known = self._bases.get(folder)
        if known is not None:
            return known
        top = folder
        while os.path.join(top, INIT) in self._paths:
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


def _ties(summary: Summary) -> tuple[object, ...]:
    """Return what of a file the graph is made of."""
    return summary.imports, summary.classes, summary.called
