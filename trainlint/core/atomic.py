"""Replace what a file of the user holds, so that nothing is lost whatever happens meanwhile."""

from __future__ import annotations

import os
import stat
from contextlib import suppress
from typing import Final, NoReturn

from trainlint.core.errors import UserError

_PREFIX: Final = ".trainlint-"
_SUFFIX: Final = ".tmp"
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
        temporary = _written_beside(folder, data)
        try:
            mask = os.umask(0)
            os.umask(mask)
            os.chmod(temporary, _ANYBODY & ~mask)
            os.replace(temporary, path)
        except BaseException:
            with suppress(OSError):
                os.unlink(temporary)
            raise
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
    temporary = _written_beside(folder, after)
    try:
        if status.st_nlink == 1 and _keep_attributes(real, temporary, status):
            if _identity(os.stat(real)) != _identity(status):
                _refuse_changed(path)
            os.replace(temporary, real)
            _sync_folder(folder)
            return
    except BaseException:
        with suppress(OSError):
            os.unlink(temporary)
        raise
    os.unlink(temporary)
    _write_in_place(real, path, before, after)


def _refuse_changed(path: str) -> NoReturn:
    """Say that a file is no longer the one that was read."""
    msg = f"{path}: has been changed by somebody else meanwhile and is not written"
    raise ReplaceError(msg)


def _written_beside(folder: str, data: bytes) -> str:
    """Write data to a new file in a folder, down to the disk, and return its path."""
    from tempfile import mkstemp  # noqa: PLC0415 - 5 ms, only where something is written

    handle, temporary = mkstemp(_SUFFIX, _PREFIX, folder)
    try:
        with open(handle, "wb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
    except BaseException:
        with suppress(OSError):
            os.unlink(temporary)
        raise
    return temporary


def _write_in_place(real: str, path: str, before: bytes, after: bytes) -> None:
    """Write a file in place; what it held lies beside it until that is done."""
    kept = _written_beside(os.path.dirname(real), before)
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
