"""Where the commands write, and whether in colours."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Final

from click.exceptions import Exit

from trainlint.core.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import TextIO

BROKEN_PIPE: Final = 141
"""What a shell reports for a program that SIGPIPE has ended."""

COLOUR_CHOICES = ("auto", "always", "never")


def in_colours(choice: str, *, to_file: bool = False) -> bool:
    """Say whether to write colours: as asked, else as NO_COLOR, FORCE_COLOR and the terminal say."""
    if choice != "auto":
        return choice == "always"
    if os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("FORCE_COLOR"):
        return not to_file
    return not to_file and on_terminal() and os.environ.get("TERM") != "dumb"


def on_terminal() -> bool:
    """Say whether a person reads the output."""
    return sys.stdout is not None and sys.stdout.isatty()


def keep(path: str | None, inputs: Iterable[str]) -> None:
    """Raise a :class:`UserError` where the output would be written over one of the inputs."""
    if path is None or not os.path.isfile(path):
        return
    output = os.stat(path)
    for one in inputs:
        try:
            same = os.path.samestat(output, os.stat(one))
        except OSError:
            continue
        if same:
            msg = f"{path}: is read, so the output cannot be written over it"
            raise UserError(msg)


def write(lines: Iterable[str], path: str | None = None) -> None:
    """Write lines to the standard output, or to a file whose folder is made where it is missing."""
    text = "".join(f"{line}\n" for line in lines)
    if path is None:
        try:
            sys.stdout.write(text)
            sys.stdout.flush()
        except BrokenPipeError:
            # Whoever read our output has gone.
            abandon(sys.stdout)
            raise Exit(BROKEN_PIPE) from None
        except OSError as error:
            abandon(sys.stdout)
            msg = f"standard output cannot be written: {error.strerror or error}"
            raise UserError(msg) from error
        return
    try:
        if folder := os.path.dirname(path):
            os.makedirs(folder, exist_ok=True)
        with open(path, "w", encoding="utf-8", errors="backslashreplace") as stream:
            stream.write(text)
    except OSError as error:
        msg = f"{path}: cannot be written: {error.strerror or error}"
        raise UserError(msg) from error


def write_bytes(data: bytes) -> None:
    """Write bytes to the standard output as they are."""
    write(())
    try:
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
    except BrokenPipeError:
        abandon(sys.stdout)
        raise Exit(BROKEN_PIPE) from None
    except OSError as error:
        abandon(sys.stdout)
        msg = f"standard output cannot be written: {error.strerror or error}"
        raise UserError(msg) from error


def abandon(stream: TextIO) -> None:
    """Let what a stream still holds go nowhere, so that Python does not complain at its end."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def warn(line: str) -> None:
    """Write a line to the standard error output."""
    sys.stderr.write(f"{line}\n")
