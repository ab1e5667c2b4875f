"""Starts Python programs from a process that has imported already what takes them long.

A test that needs a process of its own seldom needs one that imports torch anew, which takes two seconds.
A nursery has imported it once, and forks itself for each program: what a program does, prints, and ends
with is its own. What a fresh Python does otherwise, such as importing torch only once a script asks for
it, is for tests that start one.
"""

from __future__ import annotations

import builtins
import contextlib
import gc
import importlib
import importlib.util
import itertools
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import types
from typing import IO, TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from os import PathLike

    Folder = str | PathLike[str]


class Child:
    """A program that a nursery has started; it is used as a `subprocess.Popen` is."""

    def __init__(self, nursery: Nursery, pid: int, pipes: Sequence[IO[bytes] | None]) -> None:
        self._nursery = nursery
        self.pid = pid
        self.returncode: int | None = None
        self.stdin, self.stdout, self.stderr = pipes

    def wait(self, timeout: float | None = None) -> int:
        """Return the exit code, below zero for a signal, once the program has ended."""
        if self.returncode is None:
            self.returncode = self._nursery.ask(wait=self.pid, timeout=timeout)
        if self.returncode is None:
            msg = f"process {self.pid}"
            raise subprocess.TimeoutExpired(msg, timeout or 0.0)
        return self.returncode

    def kill(self) -> None:
        """End the program at once, if it has not ended."""
        if self.returncode is None:
            self._nursery.ask(kill=self.pid)


class Nursery:
    """A process that has imported some modules, of which it makes programs.

    Args:
        modules: What it imports.

    """

    def __init__(self, modules: Sequence[str]) -> None:
        ours, theirs = socket.socketpair()
        self._channel = ours
        self._process = subprocess.Popen(
            [sys.executable, __file__, str(theirs.fileno()), *modules],
            pass_fds=[theirs.fileno()],
            stdin=subprocess.DEVNULL,
            # Threads of OpenMP would not live on in what is forked.
            env={**_environment(), "OMP_NUM_THREADS": "1"},
        )
        theirs.close()

    def close(self) -> None:
        """End the process."""
        self._channel.close()
        self._process.wait()

    def ask(self, files: Sequence[int] = (), **request: Any) -> Any:
        """Send a request, with files for a program, and return the answer."""
        data = json.dumps(request).encode() + b"\n"
        sent = socket.send_fds(self._channel, [data], files)
        self._channel.sendall(data[sent:])
        answer = b""
        while not answer.endswith(b"\n"):
            more = self._channel.recv(1 << 16)
            assert more, "the nursery has ended"
            answer += more
        return json.loads(answer)

    def start(
        self,
        arguments: Sequence[Folder],
        *,
        cwd: Folder,
        env: Mapping[str, str] | None = None,
        files: Sequence[int] | None = None,
    ) -> Child:
        """Start a program: `-m` and a module, or a script, and their arguments.

        Without ``files`` for its standard streams it gets pipes.
        """
        pipes: list[IO[bytes] | None] = [None, None, None]
        theirs = list(files or ())
        if files is None:
            for number in range(3):
                reading, writing = os.pipe()
                pipes[number] = open(writing, "wb") if number == 0 else open(reading, "rb")  # noqa: SIM115 - whoever has the child closes them
                theirs.append(reading if number == 0 else writing)
        request = {
            "arguments": [os.fspath(one) for one in arguments],
            "cwd": os.fspath(cwd),
            "env": dict(_environment() if env is None else env),
        }
        try:
            return Child(self, self.ask(theirs, **request), pipes)
        finally:
            for one in () if files is not None else theirs:
                os.close(one)

    def run(
        self,
        arguments: Sequence[Folder],
        *,
        cwd: Folder,
        env: Mapping[str, str] | None = None,
        timeout: float = 240.0,
    ) -> subprocess.CompletedProcess[str]:
        """Run a program to its end, and return what it has written."""
        (done,) = self.run_together(arguments, [env or {}], cwd=cwd, timeout=timeout)
        return done

    def run_together(
        self,
        arguments: Sequence[Folder],
        environments: Sequence[Mapping[str, str]],
        *,
        cwd: Folder,
        timeout: float = 240.0,
    ) -> list[subprocess.CompletedProcess[str]]:
        """Run a program in several processes at once, each with more in its environment than the others."""
        with contextlib.ExitStack() as stack:
            nothing = stack.enter_context(open(os.devnull))
            children, streams = [], []
            for more in environments:
                out, err = (stack.enter_context(tempfile.TemporaryFile("w+")) for _ in range(2))
                files = [nothing.fileno(), out.fileno(), err.fileno()]
                env = {**_environment(), **more}
                children.append(self.start(arguments, cwd=cwd, env=env, files=files))
                streams.append((out, err))
            try:
                codes = [child.wait(timeout) for child in children]
            finally:
                for child in children:
                    child.kill()
            for one in itertools.chain(*streams):
                one.seek(0)
            return [
                subprocess.CompletedProcess(arguments, code, out.read(), err.read())
                for code, (out, err) in zip(codes, streams, strict=True)
            ]


def _environment() -> dict[str, str]:
    """Return the environment of the tests, without what pytest says of itself."""
    return {key: value for key, value in os.environ.items() if "PYTEST" not in key}


# --- in the nursery


def _wait(pid: int, timeout: float | None) -> int | None:
    """Return the exit code of a child; None where it runs still when the time is over."""
    deadline = None if timeout is None else time.monotonic() + timeout
    while True:
        found, status = os.waitpid(pid, 0 if deadline is None else os.WNOHANG)
        if found:
            return os.waitstatus_to_exitcode(status)
        assert deadline is not None
        if time.monotonic() > deadline:
            return None
        time.sleep(0.002)


def _requested(channel: socket.socket) -> dict[str, Any]:
    """Answer requests until a program is to be started, and return that request in a new process."""
    while True:
        data, files, *_ = socket.recv_fds(channel, 1 << 16, 3)
        while data and not data.endswith(b"\n"):
            data += channel.recv(1 << 16)
        if not data:
            os._exit(0)
        request: dict[str, Any] = json.loads(data)
        answer: int | None = None
        if "wait" in request:
            answer = _wait(request["wait"], request["timeout"])
        elif "kill" in request:
            os.kill(request["kill"], signal.SIGKILL)  # it is there until it has been waited for
        else:
            answer = os.fork()
            if answer == 0:
                channel.close()
                for number, one in enumerate(files):
                    os.dup2(one, number)
                    os.close(one)
                return request
            for one in files:
                os.close(one)
        channel.sendall(json.dumps(answer).encode() + b"\n")


def _open_streams() -> None:
    """Have standard streams as Python opens them where it starts."""
    ways: list[dict[str, Any]] = [
        {"mode": "r"},
        {"mode": "w"},
        {"mode": "w", "buffering": 1, "errors": "backslashreplace"},
    ]
    for number, (name, way) in enumerate(zip(("stdin", "stdout", "stderr"), ways, strict=True)):
        stream = open(number, closefd=False, **way)  # noqa: SIM115 - for as long as the process lives
        setattr(sys, name, stream)
        setattr(sys, f"__{name}__", stream)


def _program(arguments: list[str]) -> tuple[types.CodeType, dict[str, Any]]:
    """Return the code and the names of the main module, as Python would have them."""
    spec = None
    if arguments[0] == "-m":
        folder, name = os.getcwd(), arguments.pop(0) and arguments[0]
        sys.path.insert(0, folder)
        spec = importlib.util.find_spec(name)
        if spec is not None and spec.submodule_search_locations is not None:
            spec = importlib.util.find_spec(f"{name}.__main__")
        assert spec is not None
        assert spec.origin is not None
        path = spec.origin
    else:
        path = os.path.abspath(arguments[0])
        sys.path.insert(0, os.path.dirname(path))
    sys.argv = [path if spec else arguments[0], *arguments[1:]]
    main = types.ModuleType("__main__")
    names = main.__dict__
    names.update(__file__=path, __spec__=spec, __builtins__=builtins)
    names["__package__"] = None if spec is None else spec.parent
    sys.modules["__main__"] = main
    with open(path, "rb") as stream:
        return compile(stream.read(), path, "exec", dont_inherit=True), names


if __name__ == "__main__":
    del sys.path[0]  # the folder of this file
    for module in sys.argv[2:]:
        importlib.import_module(module)
    gc.collect()
    gc.freeze()  # a collection in a child, as there are some where it ends, would copy all that is here
    wanted = _requested(socket.socket(fileno=int(sys.argv[1])))
    os.environ.clear()
    os.environ.update(wanted["env"])
    os.chdir(wanted["cwd"])
    _open_streams()
    exec(*_program(wanted["arguments"]))  # noqa: S102 - it is what was asked for
