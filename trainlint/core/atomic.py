"""Replace what a file of the user holds, so that nothing is lost whatever happens meanwhile.

The new text is first a file of its own beside the old one, which its process holds by a lock. One that
nobody holds was left by a process that was killed: it is removed when the next file of its folder is
replaced, or by :func:`remove_left_over`.
"""

from __future__ import annotations

import os
import re
import stat
import sys
import time
from contextlib import contextmanager, suppress
from typing import IO, TYPE_CHECKING, Final, NoReturn

from trainlint.core.errors import UserError

if sys.platform != "win32":
    import fcntl

if TYPE_CHECKING:
    from collections.abc import Iterator

_PREFIX: Final = ".trainlint-"
_NEW: Final = ".tmp"
"""The ending of what is to take the place of a file."""
_OLD: Final = ".before"
"""The ending of what a file held that is written in place: that is never removed but by its writer."""
_LEFT_OVER: Final = re.compile(r"\.trainlint-[a-z0-9_]{8}\.tmp")
_SETTLED: Final = 60.0
"""So many seconds after it was last written a file is no longer about to be held."""
_ANYBODY: Final = 0o666
_ANY_WRITE: Final = stat.S_IWUSR | stat.S_IWGRP | stat.S_IWOTH


class ReplaceError(UserError):
    """A file is left as it is; the message says why."""


def replace_file(path: str, before: bytes, after: bytes) -> None:
    """Replace what a file holds, which must still be ``before``; raise :class:`ReplaceError`.

    The new text is written and synced beside the file and then takes its place in one step, with the
    permissions, the owner and the extended attributes of the old one. A symbolic link stays one. A
    file with several names (hard links), or with an owner that cannot be kept, is written in place,
    while what it held lies beside it.
    """
    try:
        _replace(os.path.realpath(path, strict=True), path, before, after)
    except OSError as error:
        msg = f"{path}: cannot be written: {error.strerror or error}"
        raise ReplaceError(msg) from error


def create_file(path: str, data: bytes) -> None:
    """Make a file, whole or not at all, with the folders above it; raise :class:`ReplaceError`."""
    try:
        folder = os.path.dirname(os.path.abspath(path))
        os.makedirs(folder, exist_ok=True)
        mask = os.umask(0)
        os.umask(mask)
        with _beside(folder, data) as temporary:
            os.chmod(temporary, _ANYBODY & ~mask)
            os.replace(temporary, path)
        _sync_folder(folder)
    except OSError as error:
        msg = f"{path}: cannot be written: {error.strerror or error}"
        raise ReplaceError(msg) from error


def _replace(real: str, path: str, before: bytes, after: bytes) -> None:
    """Replace what the file behind a path holds."""
    with open(real, "rb") as stream:
        status = os.fstat(stream.fileno())
        if stream.read() != before:
            _refuse_changed(path)
    folder = os.path.dirname(real)
    # The superuser may write anyway, but who takes the right to write from a file means it.
    for place, what in ((real, "it"), (folder, "its folder")):
        if not os.stat(place).st_mode & _ANY_WRITE or not os.access(place, os.W_OK):
            msg = f"{path}: cannot be written: {what} is read-only"
            raise ReplaceError(msg)
    remove_left_over(folder)
    with _beside(folder, after) as temporary:
        if status.st_nlink == 1 and _keep_attributes(real, temporary, status):
            if _identity(os.stat(real)) != _identity(status):
                _refuse_changed(path)
            os.replace(temporary, real)
            _sync_folder(folder)
            return
    _write_in_place(real, path, before, after)


def remove_left_over(folder: str) -> list[str]:
    """Remove what killed processes have left in a folder, where the system can tell; return the paths."""
    found: list[str] = []
    try:
        names = os.listdir(folder)
    except OSError:
        return found
    for name in names:
        path = os.path.join(folder, name)
        if _LEFT_OVER.fullmatch(name) and _is_left_over(path):
            with suppress(OSError):
                os.unlink(path)
                found.append(path)
    return found


def _is_left_over(path: str) -> bool:
    """Say whether a file of such a name is one that no process holds, or is about to hold."""
    if sys.platform == "win32":
        return False
    try:
        status = os.lstat(path)
        if not stat.S_ISREG(status.st_mode) or time.time() - status.st_mtime < _SETTLED:
            return False
        with open(path, "rb") as stream:
            return _hold(stream)
    except OSError:
        return False


def _hold(stream: IO[bytes]) -> bool:
    """Lock an open file until it is closed, however that comes; False where that cannot be."""
    if sys.platform == "win32":
        return False
    try:
        fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _refuse_changed(path: str) -> NoReturn:
    """Say that a file is no longer the one that was read."""
    msg = f"{path}: has been changed by somebody else meanwhile and is not written"
    raise ReplaceError(msg)


@contextmanager
def _beside(folder: str, data: bytes) -> Iterator[str]:
    """Have data in a new file of a folder, which is gone afterwards unless it is moved away."""
    temporary, stream = _written(folder, data, _NEW)
    try:
        if sys.platform == "win32":
            stream.close()  # what is open cannot be moved there
        yield temporary
    finally:
        with suppress(OSError):
            os.unlink(temporary)
        stream.close()


def _written(folder: str, data: bytes, ending: str) -> tuple[str, IO[bytes]]:
    """Write data to a new file in a folder, down to the disk; return its path, and itself, held."""
    from tempfile import mkstemp  # noqa: PLC0415 - 5 ms, only where something is written

    handle, temporary = mkstemp(ending, _PREFIX, folder)
    stream = open(handle, "wb")  # noqa: SIM115 - the lock is held until the caller closes it
    try:
        _hold(stream)
        stream.write(data)
        stream.flush()
        os.fsync(stream.fileno())
    except BaseException:
        with suppress(OSError):
            stream.close()
        with suppress(OSError):
            os.unlink(temporary)
        raise
    return temporary, stream


def _write_in_place(real: str, path: str, before: bytes, after: bytes) -> None:
    """Write a file in place; what it held lies beside it until that is done."""
    kept, stream = _written(os.path.dirname(real), before, _OLD)
    stream.close()
    try:
        with open(real, "r+b") as stream:
            stream.write(after)
            stream.truncate()
            stream.flush()
            os.fsync(stream.fileno())
    except OSError as error:
        msg = f"{path}: cannot be written: {error.strerror or error}; what it held is in {kept}"
        raise ReplaceError(msg) from error
    os.unlink(kept)


def _keep_attributes(real: str, temporary: str, status: os.stat_result) -> bool:
    """Give a new file the owner, the permissions and the attributes of another; False if it cannot."""
    if hasattr(os, "chown"):
        own = os.stat(temporary)
        if (own.st_uid, own.st_gid) != (status.st_uid, status.st_gid):
            try:
                os.chown(temporary, status.st_uid, status.st_gid)
            except OSError:
                return False
    if hasattr(os, "listxattr"):
        with suppress(OSError):
            for name in os.listxattr(real):
                os.setxattr(temporary, name, os.getxattr(real, name))
    # Last, for a change of the owner takes some of them away.
    os.chmod(temporary, stat.S_IMODE(status.st_mode))
    return True


def _identity(status: os.stat_result) -> tuple[int, int, int, int]:
    """Return what tells whether a file is still the same one, unchanged."""
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns


def _sync_folder(folder: str) -> None:
    """Bring the names in a folder down to the disk, where the system can."""
    with suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
