"""Which files to lint: those that are named, and the Python files in the folders that are named.

Notebooks are Python files, too. Configurations of training in folders are found where the settings
say `include-configs`: of a file that nobody has named it must be seen from its text that it is one.

Ignore files are read by ourselves instead of asking git: that works where there is no git and
outside of a repository, gives the same answer on every machine (git also reads settings of the
user), and starting a process and reading the index would take longer than linting a file. The tests
compare the answer with git's.

What a user names is linted, whatever any pattern says, unless its settings say `force-exclude`: then
the patterns of the settings hold for it too, those of ignore files do not (as in ruff). A link to a
folder is not followed while walking (so there are no loops), but may be named.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final, NamedTuple

from trainlint.core.patterns import Patterns
from trainlint.core.report import Failure
from trainlint.static.source import CONFIG_ENDINGS, may_configure

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from trainlint.core.config import Settings

_IGNORE_FILE: Final = ".gitignore"
_CODE: Final = (".py", ".ipynb")


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
    paths: Iterable[str], settings_of: Callable[[str], Settings]
) -> Iterator[str | Failure]:
    """Yield every file to lint once, in order, and a failure for what cannot be looked at.

    ``settings_of`` gives the settings of the files in a folder: what they leave out, and whether
    configurations of training are found there, too.
    """
    seen: set[str] = set()
    for path in paths:
        # `link/../file` is not `file`, so only what holds no `..` is made short.
        shown = path if os.pardir in path.split(os.sep) else os.path.normpath(path)
        found: Iterator[str | Failure]
        if not os.path.lexists(path):
            found = iter((Failure(path or "''", None, "no such file or folder"),))
        elif is_forced_out(path, settings_of):
            continue
        elif os.path.isdir(path):
            top = os.path.abspath(path)
            start = _Folder("" if shown == os.curdir else shown, _scopes_above(top))
            found = _of_training(_walk(start, settings_of))
        else:
            found = iter((shown,))
        for one in found:
            if isinstance(one, Failure):
                yield one
            elif (absolute := os.path.abspath(one)) not in seen:
                seen.add(absolute)
                yield one


def is_forced_out(path: str, settings_of: Callable[[str], Settings]) -> bool:
    """Say whether a path is left out though it is named, for itself or for a folder that holds it."""
    path = os.path.abspath(path)
    folder = os.path.isdir(path)
    settings = settings_of(path if folder else os.path.dirname(path))
    if not settings.force_exclude:
        return False
    # What a project leaves out says nothing of the folders in which it lies itself.
    while path != settings.folder and (above := os.path.dirname(path)) != path:
        if _verdict(_exclusions(settings_of(above), above), path, folder=folder):
            return True
        path, folder = above, True
    return False


def _of_training(found: Iterator[str | Failure]) -> Iterator[str | Failure]:
    """Yield what was found but for the configurations of anything else; say once if PyYAML is missing."""
    told = False
    for one in found:
        wanted: bool | None = True
        if isinstance(one, str) and may_configure(one):
            from trainlint.static.configs.config_file import (  # noqa: PLC0415 - seldom needed
                is_training_config,
            )
            from trainlint.static.configs.yaml_text import MISSING  # noqa: PLC0415

            wanted = is_training_config(one)
        if wanted:
            yield one
        elif wanted is None and not told:
            told = True
            yield Failure(str(one), None, MISSING)


def _walk(top: _Folder, settings_of: Callable[[str], Settings]) -> Iterator[str | Failure]:
    """Yield the files that may be linted in a folder and those below it, in the order of their names."""
    ahead: list[str | Failure | _Folder] = [top]
    while ahead:
        one = ahead.pop()
        if isinstance(one, _Folder):
            ahead += reversed(list(_members(one, settings_of)))
        else:
            yield one


def _members(
    folder: _Folder, settings_of: Callable[[str], Settings]
) -> Iterator[str | Failure | _Folder]:
    """Yield the files that may be linted and the folders in a folder, in the order of their names."""
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

    settings = settings_of(base)
    exclusions = _exclusions(settings, base)
    endings = (*_CODE, *CONFIG_ENDINGS) if settings.include_configs else _CODE

    def is_left_out(name: str, *, folder: bool) -> bool:
        path = os.path.join(base, name)
        return _verdict(exclusions, path, folder=folder) or _verdict(scopes, path, folder=folder)

    for entry in entries:
        name = entry.name
        path = os.path.join(folder.path, name)
        is_wanted = name.endswith(endings)
        try:
            is_folder = entry.is_dir(follow_symlinks=False)
            # A link that leads nowhere, as editors make them to lock a file, is no file.
            is_file = is_wanted and not is_folder and entry.is_file()
        except OSError as error:
            if is_wanted and not is_left_out(name, folder=False):
                yield _unreadable(path, error)
            continue
        if is_folder:
            if not is_left_out(name, folder=True):
                yield _Folder(path, scopes)
        elif is_file and not is_left_out(name, folder=False):
            yield path


def _exclusions(settings: Settings, folder: str) -> list[_Scope]:
    """Return what settings leave out in a folder; elsewhere only patterns without a folder mean much."""
    inside = os.path.join(folder, "")
    homes = [os.path.join(one.folder, "") for one in settings.exclusions]
    return [
        _Scope(one.patterns, len(home) if inside.startswith(home) else len(os.sep))
        for one, home in zip(settings.exclusions, homes, strict=True)
    ]


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
