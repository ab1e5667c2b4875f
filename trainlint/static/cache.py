"""What linting gave before, kept by content: a file is linted again where something it hangs on changed.

One SQLite file (:mod:`trainlint.static.cache_folder` says where). A report is
good as long as these are what they were: trainlint itself, the settings of the file, the set of the
files that are linted together, and the content of the file and of all that it hangs on
(:mod:`trainlint.static.graph`). A cache that is damaged, locked or cannot be written is as good as
none: the files are linted.
"""

from __future__ import annotations

import hashlib
import json
import os
import sqlite3
from dataclasses import fields, is_dataclass
from enum import StrEnum
from functools import cache
from typing import TYPE_CHECKING, Any, Final

from trainlint.core.catalogue import folder_of, rule_packages
from trainlint.core.diagnosis import Cell, Diagnosis, Related, Severity, Span
from trainlint.core.fix import Edit, Fix, Safety
from trainlint.core.report import FileReport
from trainlint.static.cache_folder import database_of, make
from trainlint.static.graph import Graph, Links, digest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from trainlint.core.config import Settings
    from trainlint.core.rule import Rule
    from trainlint.static.project import Project

_PATIENCE: Final = 5.0
"""How many seconds to wait for another process that writes."""
_SCHEMA: Final = """
    CREATE TABLE IF NOT EXISTS links (
        path TEXT PRIMARY KEY, content TEXT, project TEXT, links TEXT
    ) WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS reports (
        path TEXT, settings TEXT, hangs_on TEXT, report TEXT, PRIMARY KEY (path, settings)
    ) WITHOUT ROWID;
"""
_KEPT: Final = {
    one.__name__: one for one in (FileReport, Diagnosis, Related, Span, Cell, Fix, Edit)
}
_WORDS: Final = {one.__name__: one for one in (Severity, Safety)}


class Cache:
    """The reports of earlier runs in a folder.

    Used once per run: :meth:`reports` answers for all files, from what is kept or by linting.
    """

    def __init__(self, folder: str) -> None:
        self.folder = folder

    def reports(
        self,
        paths: Sequence[str],
        settings: Settings,
        lint: Callable[[Sequence[str], Mapping[str, Links]], Iterable[FileReport]],
    ) -> Iterator[FileReport]:
        """Yield the report of every file in order.

        ``lint`` is given those that must be linted, and what ties all files to each other, by their
        absolute paths.
        """
        contents = {path: _content(path) for path in paths}
        kept = _Kept(self.folder)
        absolute = {path: os.path.abspath(path) for path in paths}
        together = digest(_own_code(), os.getcwd(), *sorted(absolute.values()))
        links = _links(absolute, contents, kept, together)
        digests = Graph(links).digests({absolute[path]: contents[path] for path in paths})
        hangs_on = {path: digest(together, digests[absolute[path]]) for path in paths}
        keys = _settings_keys(paths, settings)
        known: dict[str, FileReport] = {}
        for path in paths:
            if contents[path]:
                report = kept.report(path, keys[path], hangs_on[path])
                if report is not None:
                    known[path] = report
        fresh = iter(lint([path for path in paths if path not in known], links))
        for path in paths:
            report = known.get(path)
            if report is None:
                report = next(fresh)
                if contents[path] and not report.failures:
                    kept.keep(path, keys[path], hangs_on[path], report)
            yield report
        kept.close()


class _Kept:
    """The database; every failure of it means that nothing is kept."""

    def __init__(self, folder: str) -> None:
        self._folder = folder
        self._database: sqlite3.Connection | None = None
        self._links: dict[str, tuple[str, str, str]] = {}
        self._reports: dict[tuple[str, str], tuple[str, str]] = {}
        self._new_links: list[tuple[object, ...]] = []
        self._new_reports: list[tuple[object, ...]] = []
        try:
            self._open()
        except (sqlite3.Error, OSError, ValueError):
            self._discard()

    def _open(self) -> None:
        """Read everything at once: a run asks for nearly all of it."""
        if not os.path.exists(database_of(self._folder)):
            return
        database = sqlite3.connect(database_of(self._folder), timeout=_PATIENCE)
        try:
            for path, *rest in database.execute("SELECT * FROM links"):
                self._links[path] = tuple(rest)
            for path, key, hangs_on, report in database.execute("SELECT * FROM reports"):
                self._reports[path, key] = (hangs_on, report)
        finally:
            database.close()

    def _discard(self) -> None:
        """Throw a damaged file away."""
        self._links, self._reports = {}, {}
        for ending in ("", "-wal", "-shm"):
            try:
                os.remove(database_of(self._folder) + ending)
            except OSError:
                continue

    def links(self, path: str, content: str, project: str) -> Links | None:
        """Return what ties a file to the others, as kept for its content."""
        found = self._links.get(path)
        if found is None or found[:2] != (content, project):
            return None
        try:
            links = Links(*json.loads(found[2]))
        except (ValueError, TypeError):
            return None
        named = links.imports.values() if isinstance(links.imports, dict) else (None,)
        lists = (*named, links.classes, links.called)
        whole = all(isinstance(one, list) and set(map(type, one)) <= {str} for one in lists)
        return links if whole and isinstance(links.read, str) else None

    def keep_links(self, path: str, content: str, project: str, links: Links) -> None:
        """Keep what ties a file to the others."""
        self._new_links.append((path, content, project, json.dumps(links)))

    def report(self, path: str, key: str, hangs_on: str) -> FileReport | None:
        """Return the report of a file, if all that it hangs on is as it was."""
        found = self._reports.get((path, key))
        if found is None or found[0] != hangs_on:
            return None
        try:
            report = _decoded(json.loads(found[1])) if found[1] else FileReport(path)
        except (ValueError, TypeError, KeyError):
            return None
        return report if isinstance(report, FileReport) else None

    def keep(self, path: str, key: str, hangs_on: str, report: FileReport) -> None:
        """Keep a report."""
        text = json.dumps(_encoded(report)) if report.diagnoses else ""
        self._new_reports.append((path, key, hangs_on, text))

    def close(self) -> None:
        """Write what is new, in one transaction."""
        if not (self._new_links or self._new_reports):
            return
        try:
            make(self._folder)
            database = sqlite3.connect(database_of(self._folder), timeout=_PATIENCE)
            try:
                database.execute("PRAGMA journal_mode = WAL")
                database.executescript(_SCHEMA)
                with database:
                    database.executemany(
                        "INSERT OR REPLACE INTO links VALUES (?, ?, ?, ?)", self._new_links
                    )
                    database.executemany(
                        "INSERT OR REPLACE INTO reports VALUES (?, ?, ?, ?)", self._new_reports
                    )
            finally:
                database.close()
        except (sqlite3.Error, OSError):
            return


def _links(
    absolute: dict[str, str], contents: dict[str, str], kept: _Kept, together: str
) -> dict[str, Links]:
    """Return what ties each file to the others, by its absolute path.

    ``together`` is a digest of what that depends on beside the content of the file.
    """
    links: dict[str, Links] = {}
    project: Project | None = None
    for path, key in absolute.items():
        known = kept.links(path, contents[path], together)
        if known is None:
            if project is None:
                from trainlint.static.project import Project  # noqa: PLC0415 - parses; seldom needed

                project = Project(absolute)
            known = project.links(key)
            kept.keep_links(path, contents[path], together, known)
        links[key] = known
    return links


def _content(path: str) -> str:
    """Return the digest of a file; empty where it cannot be read."""
    try:
        with open(path, "rb") as stream:
            return hashlib.blake2b(stream.read(), digest_size=16).hexdigest()
    except OSError:
        return ""


@cache
def _own_code() -> str:
    """Return a digest of trainlint and of the packages of rules, by their files' times and sizes."""
    parts = []
    packages = rule_packages()
    for top in sorted({one.partition(".")[0] for one in packages}):
        for folder, _, names in sorted(os.walk(folder_of(top))):
            for name in sorted(names):
                if name.endswith(".py"):
                    status = os.stat(os.path.join(folder, name))
                    parts.append(f"{folder}/{name} {status.st_mtime_ns} {status.st_size}")
    return digest(*packages, "", *parts)


def _settings_keys(paths: Sequence[str], settings: Settings) -> dict[str, str]:
    """Return a digest of what the settings say about each file; most files share one."""
    found: dict[str, str] = {}
    known: dict[tuple[int, tuple[Rule, ...] | None], str] = {}
    for path in paths:
        own = settings.of(path)
        rules = own.rules_for(path)
        key = (id(own), None if rules is own.rules else rules)
        if key not in known:
            known[key] = _settings_key(own, [rule.name for rule in rules])
        found[path] = known[key]
    return found


def _settings_key(own: Settings, rules: list[str]) -> str:
    """Return a digest of settings, with the rules that are on under them."""
    thresholds = {
        name: {key: _plain(value) for key, value in given.items()}
        for name, given in own.thresholds.items()
    }
    return digest(
        json.dumps(
            [
                rules,
                sorted(own.explicit),
                thresholds,
                dict(own.severities),
                own.target_torch,
            ],
            sort_keys=True,
        )
    )


def _plain(value: object) -> object:
    """Return the value of a threshold as JSON has it."""
    return sorted(value, key=repr) if isinstance(value, set | frozenset) else value


def _encoded(value: object) -> Any:
    """Return a report, or a part of one, as JSON has it: what is no plain value says what it is."""
    if isinstance(value, StrEnum):
        return ["word", type(value).__name__, value.value]
    if value is None or isinstance(value, str | int | float | bool):
        return value
    if isinstance(value, list | tuple):
        return [type(value).__name__, *map(_encoded, value)]
    if isinstance(value, dict):
        return ["dict", *([_encoded(key), _encoded(item)] for key, item in value.items())]
    if is_dataclass(value) and type(value).__name__ in _KEPT:
        parts = [_encoded(getattr(value, one.name)) for one in fields(value)]
        return ["made", type(value).__name__, *parts]
    msg = f"{type(value).__name__} is no part of a report"
    raise TypeError(msg)


def _decoded(value: Any) -> Any:
    """Return what was encoded."""
    if not isinstance(value, list):
        return value
    kind, *parts = value
    if kind == "word":
        return _WORDS[parts[0]](parts[1])
    if kind == "list":
        return [_decoded(part) for part in parts]
    if kind == "tuple":
        return tuple(_decoded(part) for part in parts)
    if kind == "dict":
        return {_decoded(key): _decoded(item) for key, item in parts}
    made = _KEPT[parts[0]]
    names = [one.name for one in fields(made)]
    return made(**dict(zip(names, map(_decoded, parts[1:]), strict=True)))
