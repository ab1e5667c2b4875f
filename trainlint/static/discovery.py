"""Which files to lint: those that are named, and the Python files in the folders that are named.

Ignore files are read by ourselves instead of asking git: that works where there is no git and
outside of a repository, gives the same answer on every machine (git also reads settings of the
user), and starting a process and reading the index would take longer than linting a file. The tests
compare the answer with git's.

What a user names is linted, whatever any pattern says. A link to a folder is not followed while
walking (so there are no loops), but may be named.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final, NamedTuple

from trainlint.core.patterns import Patterns
from trainlint.core.report import Failure

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

EXCLUDED: Final = frozenset(
    {
        ".bzr",
        ".direnv",
        ".eggs",
        ".git",
        ".git-rewrite",
        ".hg",
        ".ipynb_checkpoints",
        ".mypy_cache",
        ".nox",
        ".pants.d",
        ".pyenv",
        ".pytest_cache",
        ".pytype",
        ".ruff_cache",
        ".svn",
        ".tox",
        ".venv",
        ".vscode",
        "__pycache__",
        "__pypackages__",
        "_build",
        "buck-out",
        "build",
        "dist",
        "node_modules",
        "site-packages",
        "venv",
    }
)
"""Folders that hold no code of the user: the names that ruff leaves out, and `__pycache__`."""

_IGNORE_FILE: Final = ".gitignore"


class _Scope(NamedTuple):
    """Patterns, and the length of the absolute path of their folder with its last slash."""

    patterns: Patterns
    prefix: int


class _Folder(NamedTuple):
    """A folder to look into, and the patterns that hold for what is in it."""

    path: str
    """Empty for the current folder, so that what is found in it has no `./` before it."""
    scopes: list[_Scope]


def discover(
    paths: Iterable[str], exclude: Iterable[str] = (), folder: str = ""
) -> Iterator[str | Failure]:
    """Yield every file to lint once, in order, and a failure for what cannot be looked at.

    ``exclude`` are patterns of the configuration, relative to its ``folder``.
    """
    seen: set[str] = set()
    excluded = Patterns(exclude)
    home = os.path.join(os.path.abspath(folder), "")
    for path in paths:
        # `link/../file` is not `file`, so only what holds no `..` is made short.
        shown = path if os.pardir in path.split(os.sep) else os.path.normpath(path)
        if os.path.isdir(path):
            top = os.path.abspath(path)
            # Elsewhere only patterns without a folder mean anything.
            inside = os.path.join(top, "").startswith(home)
            scope = _Scope(excluded, len(home) if inside else len(os.sep))
            found = _walk("" if shown == os.curdir else shown, _scopes_above(top), scope)
        elif os.path.lexists(path):
            found = iter((shown,))
        else:
            found = iter((Failure(path or "''", None, "no such file or folder"),))
        for one in found:
            if isinstance(one, Failure):
                yield one
            elif (absolute := os.path.abspath(one)) not in seen:
                seen.add(absolute)
                yield one


def _walk(top: str, scopes: list[_Scope], excluded: _Scope) -> Iterator[str | Failure]:
    """Yield the Python files in a folder and the folders below it, in the order of their names."""
    ahead: list[str | Failure | _Folder] = [_Folder(top, scopes)]
    while ahead:
        one = ahead.pop()
        if isinstance(one, _Folder):
            ahead += reversed(list(_members(one, excluded)))
        else:
            yield one


def _members(folder: _Folder, excluded: _Scope) -> Iterator[str | Failure | _Folder]:
    """Yield the Python files and the folders in a folder, in the order of their names."""
    try:
        with os.scandir(folder.path or os.curdir) as listing:
            entries = sorted(listing, key=lambda entry: entry.name)
    except OSError as error:
        yield _unreadable(folder.path or os.curdir, error)
        return
    scopes = folder.scopes
    base = os.path.abspath(folder.path)
    if any(entry.name == _IGNORE_FILE for entry in entries):
        patterns = _read_patterns(os.path.join(base, _IGNORE_FILE))
        if patterns:
            scopes = [*scopes, _Scope(patterns, _prefix(base))]

    def is_left_out(name: str, *, folder: bool) -> bool:
        path = os.path.join(base, name)
        return _verdict([excluded], path, folder=folder) or _verdict(scopes, path, folder=folder)

    for entry in entries:
        name = entry.name
        path = os.path.join(folder.path, name)
        is_python = name.endswith(".py")
        try:
            is_folder = entry.is_dir(follow_symlinks=False)
            # A link that leads nowhere, as editors make them to lock a file, is no file.
            is_file = is_python and not is_folder and entry.is_file()
        except OSError as error:
            if is_python and not is_left_out(name, folder=False):
                yield _unreadable(path, error)
            continue
        if is_folder:
            if name not in EXCLUDED and not is_left_out(name, folder=True):
                yield _Folder(path, scopes)
        elif is_file and not is_left_out(name, folder=False):
            yield path


def _unreadable(path: str, error: OSError) -> Failure:
    """Return the failure of a path at which the system refuses to look."""
    return Failure(path, None, f"cannot be read: {error.strerror or error}")


def _verdict(scopes: list[_Scope], path: str, *, folder: bool) -> bool:
    """Say whether an absolute path is left out: the innermost patterns that speak of it decide."""
    for patterns, prefix in reversed(scopes):
        if not patterns:
            continue
        relative = path[prefix:]
        verdict = patterns.verdict(relative.replace(os.sep, "/"), folder=folder)
        if verdict is not None:
            return verdict
    return False


def _scopes_above(folder: str) -> list[_Scope]:
    """Return the ignore files of a repository that hold for a folder, the outermost first."""
    above = []
    current = folder
    while not os.path.lexists(os.path.join(current, ".git")):
        parent = os.path.dirname(current)
        if parent == current:
            return []
        current = parent
        above.append(current)
    files = [(current, os.path.join(current, ".git", "info", "exclude"))]
    files += [(one, os.path.join(one, _IGNORE_FILE)) for one in reversed(above)]
    scopes = [_Scope(_read_patterns(file), _prefix(one)) for one, file in files]
    return [scope for scope in scopes if scope.patterns]


def _read_patterns(path: str) -> Patterns:
    """Read an ignore file; one that is missing or cannot be read says nothing."""
    try:
        with open(path, encoding="utf-8-sig", errors="surrogateescape", newline="\n") as stream:
            return Patterns(stream)
    except OSError:
        return Patterns(())


def _prefix(folder: str) -> int:
    """Return the length of a folder's path with the slash after it."""
    return len(folder) if folder.endswith(os.sep) else len(folder) + 1
