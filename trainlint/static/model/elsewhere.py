"""What the imports of a file stand for in the other files of its project."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Protocol

from trainlint.static.model.tree import Binding, BindingKind, Scope, ScopeKind

if TYPE_CHECKING:
    from collections.abc import Set as AbstractSet

    from trainlint.static.model.expression import Call, Expr
    from trainlint.static.model.file import FileModel

_MOST_IMPORTERS = 6


class Located(Protocol):
    """The file that an imported name leads to, and what of the name is left."""

    @property
    def path(self) -> str:
        """The file."""

    @property
    def rest(self) -> tuple[str, ...]:
        """The parts of the name behind the file's own."""


class Files(Protocol):
    """The files that are linted together, as a model asks for them."""

    def locate(self, imported: str, importer: str) -> Located | None:
        """Return the file that a name imported by a file leads to."""

    def model(self, path: str) -> FileModel | None:
        """Return the model of such a file; None where it cannot be read."""

    def importers(self, path: str, name: str) -> AbstractSet[str]:
        """Return the files that may import a name from a file."""


@dataclass(frozen=True)
class Symbol:
    """A name that another file of the project defines or assigns at its top."""

    model: FileModel
    name: str

    @property
    def bindings(self) -> list[Binding]:
        """The places where that file gives the name its value."""
        return self.model.index.root.bindings[self.name]

    @property
    def definition(self) -> Scope | None:
        """The function or class that it is."""
        return self.bindings[-1].definition

    @property
    def values(self) -> list[Expr] | None:
        """The values that it may have; None where they are not known, or it is a definition."""
        found: list[Expr] = []
        for binding in self.bindings:
            values = self.model.follower.values_of(binding)
            if values is None:
                return None
            found += values
        return found or None


class Elsewhere:
    """Answers for one file what its imported names are in the project."""

    def __init__(self, model: FileModel, files: Files | None) -> None:
        self.model = model
        self._files = files
        self._found: dict[str, Symbol | str | None] = {}
        self._exports: dict[str, Symbol | str | None] = {}

    def find(self, imported: str) -> Symbol | str | None:
        """Return what an imported name stands for.

        A symbol of another file; the qualified name of what that file itself imports from outside
        the project; None where it leads to no file of the project, or to a file as a whole.
        """
        if self._files is None:
            return None
        if imported not in self._found:
            self._found[imported] = None  # of a cycle: nothing is known
            self._found[imported] = self._find(imported, self._files)
        return self._found[imported]

    @cached_property
    def is_connected(self) -> bool:
        """Whether the file imports anything of the project."""
        files, index = self._files, self.model.index
        if files is None:
            return False
        modules = [*index.star_imports]
        modules += [
            binding.imported
            for scope in (index.root, *index.functions.values())
            for bindings in scope.bindings.values()
            for binding in bindings
            if binding.imported is not None
        ]
        return any(files.locate(module, self.model.source.path) for module in modules)

    def _find(self, imported: str, files: Files) -> Symbol | str | None:
        """Look the name up in the file that it leads to."""
        located = files.locate(imported, self.model.source.path)
        if located is None or len(located.rest) != 1:
            return None
        other = files.model(located.path)
        if other is None or other is self.model:
            return None
        return other.elsewhere.exported(located.rest[0])

    def calls(self, scope: Scope) -> tuple[Call, ...] | None:
        """Return the calls of a function, method or class of this file in the files that import it.

        None where there are so many such files that what they pass counts as unknown. What tests
        pass is of no account.
        """
        top = scope
        while top.parent is not None and top.parent.parent is not None:
            top = top.parent
        name = str(getattr(top.node, "name", ""))
        if self._files is None or not name or top.kind is ScopeKind.COMPREHENSION:
            return ()
        paths = self._files.importers(self.model.source.path, name)
        if len(paths) > _MOST_IMPORTERS:
            return None
        found: list[Call] = []
        for path in sorted(paths):
            other = self._files.model(path)
            if other is not None and other is not self.model and not other.is_test:
                found += other.follower.calls_of(scope)
        return tuple(found)

    def exported(self, name: str) -> Symbol | str | None:
        """Return what a name is that others import from this file."""
        if name not in self._exports:
            self._exports[name] = None
            self._exports[name] = self._exported(name)
        return self._exports[name]

    def _exported(self, name: str) -> Symbol | str | None:
        """Look a name up among what the file binds at its top, else in what it imports whole."""
        bindings = self.model.index.root.bindings.get(name)
        if bindings is None:
            for module in self.model.index.star_imports:
                separator = "" if module.endswith(".") else "."
                found = self.find(f"{module}{separator}{name}")
                if found is not None:
                    return found
            return None
        last = bindings[-1]
        if last.kind is not BindingKind.IMPORT or last.imported is None:
            return Symbol(self.model, name)
        found = self.find(last.imported)
        if found is None and not last.imported.startswith("."):
            leads = self._files and self._files.locate(last.imported, self.model.source.path)
            return None if leads else last.imported
        return found
