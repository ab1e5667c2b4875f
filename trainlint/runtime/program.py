"""Runs a user's script or module in this process, so that it finds what it would find under `python`."""

from __future__ import annotations

import builtins
import contextlib
import importlib.util
import os
import runpy
import signal
import sys
import threading
import types
from importlib.machinery import SourceFileLoader
from typing import TYPE_CHECKING, Final

from trainlint.core.errors import Interrupted, UserError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from importlib.machinery import ModuleSpec
    from types import CodeType, TracebackType

_OWN: Final = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "")
_STARTING: Final = ("<frozen runpy>", "<frozen importlib")


def run_script(path: str, arguments: Sequence[str]) -> int:
    """Run a script as `python path arguments` would, and return its exit status.

    Raises:
        UserError: There is no such file, or it cannot be read, or it is a notebook.
        Interrupted: By Ctrl-C.

    """
    if path.endswith(".ipynb"):
        msg = f"{path}: is a notebook; run what `jupyter nbconvert --to script {path}` makes of it"
        raise UserError(msg)
    try:
        with open(path, "rb") as stream:
            text = stream.read()
    except OSError as error:
        msg = f"{path}: cannot be read: {error.strerror or error}"
        raise UserError(msg) from error
    _search_first(os.path.dirname(os.path.realpath(path)))
    sys.argv = [path, *arguments]
    absolute = os.path.abspath(path)

    def code() -> CodeType:
        # Without `dont_inherit` the script would have the `from __future__` of this file.
        return compile(text, absolute, "exec", dont_inherit=True)

    return _run(code, absolute, None)


def run_module(name: str, arguments: Sequence[str]) -> int:
    """Run a module as `python -m name arguments` would, and return its exit status.

    Raises:
        UserError: No module has that name, or it is a package that cannot be run.
        Interrupted: By Ctrl-C.

    """
    _search_first(os.getcwd())
    sys.argv = ["-m", *arguments]

    def found() -> tuple[ModuleSpec, CodeType]:
        # What `python -m` itself asks, as pdb and coverage do; it imports the packages around it.
        _, spec, code = runpy._get_module_details(name, _NoModuleError)  # type: ignore[attr-defined]  # noqa: SLF001
        return spec, code

    known: list[tuple[ModuleSpec, CodeType]] = []
    status = _status_of(lambda: known.append(found()))
    if not known:
        return status
    spec, code = known[0]
    path = spec.origin or name
    sys.argv[0] = path
    return _run(lambda: code, path, spec)


class _NoModuleError(UserError):
    """A module that cannot be run, as `python -m` says it."""


def is_module(name: str) -> bool:
    """Say whether a module of that name can be imported; the packages around it are."""
    try:
        return importlib.util.find_spec(name) is not None
    except (ImportError, ValueError):
        return False


def file_of_module(name: str) -> str | None:
    """Return the file that `python -m name` would run; None where there is none that can be read."""
    _search_first(os.getcwd())
    try:
        spec = importlib.util.find_spec(name)
        if spec is not None and spec.submodule_search_locations is not None:
            spec = importlib.util.find_spec(f"{name}.__main__")
    except Exception:  # noqa: BLE001 - it is told of when it runs
        return None
    path = None if spec is None else spec.origin
    return path if path is not None and os.path.isfile(path) else None


def _search_first(folder: str) -> None:
    """Have imports look into a folder first, as Python does with that of the script it runs."""
    if sys.flags.safe_path or sys.path[:1] == [folder]:
        return
    started = os.path.dirname(os.path.realpath(sys.argv[0]))
    if sys.path and os.path.realpath(sys.path[0]) == started:
        del sys.path[0]  # that of the command `trainlint`
    sys.path.insert(0, folder)


def _run(code: Callable[[], CodeType], path: str, spec: ModuleSpec | None) -> int:
    """Run code as the main module, and wait for its threads as Python does.

    It stays the main module, where threads and what runs at exit look for its classes.
    """
    main = types.ModuleType("__main__")
    loader = SourceFileLoader("__main__", path) if spec is None else spec.loader
    main.__dict__.update(
        __annotations__={},
        __builtins__=builtins,
        __cached__=None if spec is None else spec.cached,
        __file__=path,
        __loader__=loader,
        __package__=None if spec is None else spec.parent,
        __spec__=spec,
    )
    sys.modules["__main__"] = main
    status = _status_of(lambda: exec(code(), main.__dict__))  # noqa: S102 - it is what was asked for
    for one in threading.enumerate():
        if one is not threading.current_thread() and not one.daemon:
            one.join()
    return status


def _status_of(program: Callable[[], object]) -> int:
    """Run a program and return its exit status; its own errors are shown as Python shows them."""
    try:
        program()
    except SystemExit as error:
        if error.code is None or isinstance(error.code, int):
            return error.code or 0
        sys.stderr.write(f"{error.code}\n")
        return 1
    except UserError:
        raise
    except BaseException as error:  # noqa: BLE001 - all of it is the user's
        monitor = sys.modules.get("trainlint.runtime.monitor")
        if monitor is not None and isinstance(error, monitor.TrainingHalted):
            if is_first_rank():
                if "RANK" in os.environ:
                    # What has started the ranks ends them once one has ended; this one is not done yet.
                    signal.signal(signal.SIGTERM, signal.SIG_IGN)
                sys.stderr.write(f"trainlint halted the training at {error}\n")
            return 1
        forget_own_frames(error)
        sys.excepthook(type(error), error, error.__traceback__)
        if isinstance(error, KeyboardInterrupt):
            raise Interrupted from None
        return 1
    return 0


def told_rank() -> int:
    """Return the rank that what has started this process, such as `torchrun`, told it; 0 where none was."""
    with contextlib.suppress(ValueError):
        return int(os.environ.get("RANK", "0"))
    return 0


def is_first_rank() -> bool:
    """Say whether this process speaks for all that were started together."""
    return told_rank() == 0


def forget_own_frames(error: BaseException) -> None:
    """Take trainlint's frames out of the traceback of an error, and of those that it came from."""
    seen: set[int] = set()
    following: list[BaseException | None] = [error]
    while following:
        one = following.pop()
        if one is None or id(one) in seen:
            continue
        seen.add(id(one))
        one.__traceback__ = _without_own(one.__traceback__)
        following += [one.__cause__, one.__context__]


def _without_own(trace: TracebackType | None) -> TracebackType | None:
    """Return a traceback without the frames of trainlint and of what started the program."""
    kept: list[TracebackType] = []
    while trace is not None:
        path = trace.tb_frame.f_code.co_filename
        if not path.startswith((_OWN, *_STARTING)):
            kept.append(trace)
        trace = trace.tb_next
    following: TracebackType | None = None
    for one in reversed(kept):
        following = types.TracebackType(following, one.tb_frame, one.tb_lasti, one.tb_lineno)
    return following
