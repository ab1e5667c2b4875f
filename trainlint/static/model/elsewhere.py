"""What the imports of a file stand for in the other files of its project."""

from __future__ import annotations

import re
from functools import cached_property
from typing import TYPE_CHECKING, Protocol

from trainlint.core.immutable import immutable
from trainlint.static.graph import MOST_CALLERS
from trainlint.static.torch_api import LOSS_FUNCTIONS

if TYPE_CHECKING:
    from collections.abc import Set as AbstractSet

    from trainlint.static.model.expression import Call, Expr
    from trainlint.static.model.file import FileModel
    from trainlint.static.model.tree import Binding, Scope

_INIT = "__init__"
_DATA_METHODS = frozenset({"forward", "__call__", "__getitem__", "__iter__", "__len__"})
"""What is called with data, and all over a project."""


class Located(Protocol):
    """The file that an imported name leads to, and what of the name is left."""

    @property
    def path(self) -> str:
        """The file."""

    @property
    def rest(self) -> tuple[str, ...]:
        """The parts of the name behind the file's own."""


class Summary(Protocol):
    """What the text of a file tells of it."""

    @property
    def text(self) -> str:
        """The text itself."""

    @property
    def names(self) -> frozenset[str]:
        """Every name that something in the file may be called or read by."""

    @property
    def trains(self) -> bool:
        """Whether the file may hold events of a training loop."""

    def reads(self, attribute: str) -> bool:
        """Say whether the file names an attribute."""


class Files(Protocol):
    """The files that are linted together, as a model asks for them."""

    def find(self, imported: str, importer: str) -> Symbol | str | None:
        """Return what an imported name stands for; see :class:`Elsewhere`."""

    def locate(self, imported: str, importer: str) -> Located | None:
        """Return the file that a name imported by a file leads to."""

    def model(self, path: str) -> FileModel | None:
        """Return the model of such a file; None where it cannot be read."""

    def summary(self, path: str) -> Summary:
        """Return what the text of such a file tells."""

    def leads(self, path: str, name: str) -> bool:
        """Say whether events of a training loop may be met from what such a file defines."""

    def may_ask(self, path: str) -> bool:
        """Say whether it may count what other files pass to the functions of such a file."""

    def importers(self, path: str, name: str) -> AbstractSet[str]:
        """Return the files that may import a name from a file."""


@immutable
class Symbol:
    """A name that another file of the project defines (``class``, ``def``) or assigns (``value``)."""

    files: Files
    path: str
    name: str
    kind: str

    @property
    def may_train(self) -> bool:
        """Whether events of a training loop may stand in the file that defines it."""
        return self.files.summary(self.path).trains

    def may_hold(self, name: str) -> bool:
        """Say whether something of this name stands in the file that defines it."""
        return name in self.files.summary(self.path).names

    @property
    def _bindings(self) -> list[Binding]:
        """The places where that file gives the name its value."""
        model = self.files.model(self.path)
        return [] if model is None else model.index.root.bindings.get(self.name, [])

    @property
    def definition(self) -> Scope | None:
        """The function or class that it is."""
        bindings = [] if self.kind == "value" else self._bindings
        return bindings[-1].definition if bindings else None

    @property
    def values(self) -> list[Expr] | None:
        """The values that it may have; None where they are not known, or it is a definition."""
        found: list[Expr] = []
        for binding in self._bindings if self.kind == "value" else ():
            values = binding.site.scope.index.model.follower.values_of(binding)
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
        self._abroad: dict[str, bool] = {}

    def find(self, imported: str) -> Symbol | str | None:
        """Return what an imported name stands for.

        A symbol of another file; the qualified name of what that file itself imports from outside
        the project; None where it leads to no file of the project, or to a file as a whole.
        """
        if self._files is None:
            return None
        if imported not in self._found:
            self._found[imported] = self._files.find(imported, self.model.source.path)
        return self._found[imported]

    @cached_property
    def _places(self) -> tuple[tuple[str, str], ...]:
        """The files of the project that the file imports from, and what; empty for a file as a whole."""
        files, index, path = self._files, self.model.index, self.model.source.path
        if files is None:
            return ()
        names = [*index.star_imports]
        names += [
            binding.imported
            for scope in (index.root, *index.functions.values())
            for bindings in scope.bindings.values()
            for binding in bindings
            if binding.imported is not None
        ]
        found: dict[tuple[str, str], None] = {}
        for name in names:
            located = files.locate(name, path)
            symbol = files.find(name, path) if located is not None else None
            if isinstance(symbol, Symbol):
                found[symbol.path, symbol.name] = None
            elif located is not None:
                found[located.path, ""] = None
        return tuple(found)

    @cached_property
    def _imported(self) -> tuple[Summary, ...]:
        """What is known of the files of the project that the file imports from."""
        paths = dict.fromkeys(path for path, _ in self._places)
        return () if self._files is None else tuple(map(self._files.summary, paths))

    @cached_property
    def may_train(self) -> bool:
        """Whether what this file imports may lead to events of a training loop."""
        files = self._files
        return files is not None and any(
            files.leads(path, name) if name else files.summary(path).trains
            for path, name in self._places
        )

    @cached_property
    def _trains(self) -> bool:
        """Whether events of a training loop stand in the file."""
        return any(name in self.model.index.calls for name in ("backward", "step", "zero_grad"))

    def may_hold(self, name: str) -> bool:
        """Say whether what the file imports from the project may hold something of this name."""
        if name not in self._abroad:
            self._abroad[name] = any(name in summary.names for summary in self._imported)
        return self._abroad[name]

    def speaks_of(self, pattern: str) -> bool:
        """Say whether the text of a file that the file imports from has a pattern, in any case."""
        matches = re.compile(pattern, re.IGNORECASE).search
        return any(matches(summary.text) for summary in self._imported)

    def is_read(self, owner: str, attribute: str) -> bool:
        """Say whether a file that imports a class of this one names an attribute of its."""
        files = self._files
        if files is None:
            return False
        importers = files.importers(self.model.source.path, owner)
        return any(files.summary(path).reads(attribute) for path in importers)

    def calls(self, scope: Scope) -> tuple[Call, ...] | None:
        """Return the calls of a function, method or class of this file in the files that import it.

        Asked of files that train, and of functions that compute a loss: what others pass for a loss, a
        model, a rate decides there. None where so many files import it that what they pass counts as
        unknown. What tests pass is of no account.
        """
        return self.callers(scope) if self._trains or _computes_loss(scope) else ()

    def callers(self, scope: Scope) -> tuple[Call, ...] | None:
        """Return the same as :meth:`calls`, also of a file that moves new parameters."""
        top = scope
        while top.parent is not None and top.parent.parent is not None:
            top = top.parent
        name = str(getattr(top.node, "name", ""))
        own = getattr(scope.node, "name", "")
        if self._files is None or not name or own in _DATA_METHODS:
            return ()
        if not self._files.may_ask(self.model.source.path):
            # It is taken for granted that this file does not hang on those that import it.
            return ()
        if scope is not top and scope.parent is not top:
            return ()
        paths = self._files.importers(self.model.source.path, name)
        if len(paths) > MOST_CALLERS:
            return None
        found: list[Call] = []
        for path in sorted(paths):
            if is_test(path) or (own != _INIT and own not in self._files.summary(path).text):
                continue
            other = self._files.model(path)
            if other is not None and other is not self.model:
                found += other.follower.calls_of(scope)
        return tuple(found)


def is_test(path: str) -> bool:
    """Say whether pytest takes a file for tests, by its name."""
    name = path.replace("\\", "/").rpartition("/")[2]
    return name.startswith("test_") or name.endswith("_test.py") or name == "conftest.py"


def _computes_loss(scope: Scope) -> bool:
    """Say whether a function calls a loss of torch, by its name."""
    return any(
        getattr(node.func, "attr", getattr(node.func, "id", "")) in LOSS_FUNCTIONS
        for node, _ in scope.calls
    )
