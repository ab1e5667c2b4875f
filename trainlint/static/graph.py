"""Which files hang on which: what is said of one may change when another one changes."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Final, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

INIT: Final = "__init__.py"
WHOLE: Final = "*"
MOST_CALLERS: Final = 6
"""What more files may pass to a function counts as unknown."""


class Links(NamedTuple):
    """What ties one file to the others."""

    imports: dict[str, list[str]]
    """Which names it imports from which files; ``*`` where that is the file as a whole."""
    classes: list[str]
    """The classes that it defines: it counts which of their attributes others may read."""
    called: list[str]
    """The functions and classes at its top, if it counts what others pass to them."""
    read: str = ""
    """A digest of the attributes that it reads."""


class Tied(Protocol):
    """The same, whoever finds it out, and when."""

    @property
    def imports(self) -> Mapping[str, Sequence[str]]:
        """Which names it imports from which files."""

    @property
    def classes(self) -> Sequence[str]:
        """The classes that it defines."""

    @property
    def called(self) -> Sequence[str]:
        """What it counts for it that others pass."""

    @property
    def read(self) -> str:
        """A digest of the attributes that it reads."""


class Graph:
    """The files that are linted together.

    A file hangs on those that it imports, and on all that these hang on. Where it counts what is
    passed to its functions it hangs in the same way on the files that may call them. Of the files
    that may read attributes of its classes nothing counts but which attributes they read.
    """

    def __init__(self, links: Mapping[str, Tied]) -> None:
        self._links = links
        self._importers: dict[str, list[tuple[str, frozenset[str]]]] = {}
        for path, one in links.items():
            for imported, names in one.imports.items():
                self._importers.setdefault(imported, []).append((path, frozenset(names)))

    def digests(self, contents: Mapping[str, str]) -> dict[str, str]:
        """Return for each file a digest of it and of all that it hangs on, given one of each content."""
        own = {path: digest(path, contents.get(path, "")) for path in self._links}
        reached: dict[str, str] = {}
        for ring in _rings(self._next):
            within = set(ring)
            beyond = {one for path in ring for one in self._next[path]} - within
            whole = digest(
                *sorted(own[path] for path in within), "", *sorted(reached[one] for one in beyond)
            )
            reached.update((path, digest(own[path], whole)) for path in ring)
        read = {
            path: sorted(digest(one, self._links[one].read) for one in ones)
            for path, ones in self._readers.items()
        }
        return {path: digest(one, *read.get(path, ())) for path, one in reached.items()}

    def hanging_on(self, path: str) -> set[str]:
        """Return a file and all that hang on it."""
        return _reached(self._previous, path).union(self._read_by.get(path, ()))

    def asking(self, path: str) -> set[str]:
        """Return those that only count which attributes a file reads."""
        return set(self._read_by.get(path, ())) - _reached(self._previous, path)

    def importers(self, path: str, names: Iterable[str]) -> set[str]:
        """Return the files that may import a name from one, directly or from a package that hands it on."""
        wanted = frozenset(names)
        found: set[str] = set()
        queue, seen = [path], set()
        while queue:
            source = queue.pop()
            if source in seen:
                continue
            seen.add(source)
            for importer, imported in self._importers.get(source, ()):
                if WHOLE in imported or not wanted.isdisjoint(imported):
                    found.add(importer)
                    if importer.endswith(INIT):
                        queue.append(importer)
        return found

    def users(self, path: str) -> set[str]:
        """Return the files that may import anything from one, directly or from a package."""
        found: set[str] = set()
        names: dict[str, set[str]] = {path: {WHOLE}}
        queue = [path]
        while queue:
            source = queue.pop()
            wanted = names[source]
            for importer, imported in self._importers.get(source, ()):
                if WHOLE in imported:
                    handed = frozenset(wanted)
                else:
                    handed = imported if WHOLE in wanted else imported & wanted
                if not handed:
                    continue
                found.add(importer)
                known = names.setdefault(importer, set())
                if importer.endswith(INIT) and not handed <= known:
                    known |= handed
                    queue.append(importer)
        return found

    @cached_property
    def islands(self) -> dict[str, frozenset[str]]:
        """By file: all that imports tie it to, through whichever files and in either direction."""
        ties: dict[str, set[str]] = {path: set(one.imports) for path, one in self._links.items()}
        for imported, importers in self._importers.items():
            ties.setdefault(imported, set()).update(importer for importer, _ in importers)
        found: dict[str, frozenset[str]] = {}
        for path in ties:
            if path not in found:
                island = frozenset(_reached(ties, path))
                found.update(dict.fromkeys(island, island))
        return found

    @cached_property
    def _next(self) -> dict[str, set[str]]:
        """What each file hangs on directly."""
        found = {}
        for path, one in self._links.items():
            found[path] = set(one.imports)
            for name in one.called:
                callers = self.importers(path, (name,))
                if len(callers) <= MOST_CALLERS:
                    found[path] |= callers
        return found

    @cached_property
    def _previous(self) -> dict[str, list[str]]:
        """What hangs directly on each file."""
        return _turned(self._next)

    @cached_property
    def _readers(self) -> dict[str, set[str]]:
        """The files that may read attributes of the classes of each."""
        return {
            path: self.importers(path, one.classes)
            for path, one in self._links.items()
            if one.classes
        }

    @cached_property
    def _read_by(self) -> dict[str, list[str]]:
        """The files of whose classes each may read attributes."""
        return _turned(self._readers)


def digest(*parts: str) -> str:
    """Return a digest of some texts."""
    from hashlib import blake2b  # noqa: PLC0415 - 3 ms, and only what is kept needs it

    found = blake2b(digest_size=16)
    for part in parts:
        found.update(part.encode(errors="surrogatepass"))
        found.update(b"\0")
    return found.hexdigest()


def _rings(edges: Mapping[str, set[str]]) -> Iterator[list[str]]:
    """Yield the files that hang on each other together, behind all that they hang on (Tarjan, 1972)."""
    number: dict[str, int] = {}
    lowest: dict[str, int] = {}
    waiting: list[str] = []
    done: set[str] = set()
    for start in edges:
        ways = [] if start in number else [start]
        left: dict[str, Iterator[str]] = {}
        while ways:
            here = ways[-1]
            if here not in number:
                number[here] = lowest[here] = len(number)
                left[here] = iter(edges[here])
                waiting.append(here)
            new = next((one for one in left[here] if one not in number), None)
            if new is not None:
                ways.append(new)
                continue
            ways.pop()
            for one in edges[here]:
                if one not in done:
                    lowest[here] = min(lowest[here], lowest[one])
            if lowest[here] == number[here]:
                ring = [waiting.pop()]
                while ring[-1] != here:
                    ring.append(waiting.pop())
                done.update(ring)
                yield ring


def _turned(edges: Mapping[str, Iterable[str]]) -> dict[str, list[str]]:
    """Return edges in the other direction."""
    found: dict[str, list[str]] = {}
    for start, ends in edges.items():
        for end in ends:
            found.setdefault(end, []).append(start)
    return found


def _reached(edges: Mapping[str, Iterable[str]], start: str) -> set[str]:
    """Return all that edges lead to from a start, itself among them."""
    seen, queue = {start}, [start]
    while queue:
        for other in edges.get(queue.pop(), ()):
            if other not in seen:
                seen.add(other)
                queue.append(other)
    return seen
