"""An editor for the tests: it starts `trainlint server` and speaks the protocol over its pipes, by hand."""

from __future__ import annotations

import json
import os
import queue
import re
import threading
import time
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.nursery import Child, Nursery

PATIENCE = 30.0
"""How many seconds to wait for an answer before a test fails."""

_LINE = re.compile(r"[^\r\n]*(?:\r\n|\r|\n|\Z)")

ABILITIES: dict[str, Any] = {
    "textDocument": {
        "publishDiagnostics": {
            "relatedInformation": True,
            "codeDescriptionSupport": True,
            "tagSupport": {"valueSet": [1]},
        },
        "hover": {"contentFormat": ["markdown"]},
    },
    "workspace": {"workspaceEdit": {"documentChanges": True}},
}


class Editor:
    """A client that keeps documents as an editor does, and what the server says of them."""

    def __init__(self, folder: Path, process: Child):
        self.folder = folder
        self.process = process
        self.texts: dict[str, str] = {}
        self.versions: dict[str, int] = {}
        self.messages: list[dict[str, Any]] = []
        self._incoming: queue.Queue[dict[str, Any] | None] = queue.Queue()
        self._number = 0
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    # -- the wire -----------------------------------------------------------------------------

    def _read(self) -> None:
        stream = self.process.stdout
        assert stream is not None
        while header := stream.readline():
            length = 0
            while header.strip():
                name, _, value = header.partition(b":")
                if name.lower() == b"content-length":
                    length = int(value)
                header = stream.readline()
            self._incoming.put(json.loads(stream.read(length)))
        self._incoming.put(None)

    def raw(self, data: bytes) -> None:
        """Write bytes as they are."""
        assert self.process.stdin is not None
        self.process.stdin.write(data)
        self.process.stdin.flush()

    def send(self, message: dict[str, Any]) -> None:
        """Write a message."""
        body = json.dumps({"jsonrpc": "2.0", **message}).encode()
        self.raw(b"Content-Length: %d\r\n\r\n%s" % (len(body), body))

    def notify(self, method: str, params: Any = None) -> None:
        """Send a message that has no answer."""
        self.send({"method": method, "params": params})

    def request(self, method: str, params: Any = None) -> Any:
        """Send a question; return the answer."""
        self._number += 1
        number = self._number
        self.send({"id": number, "method": method, "params": params})
        answer = self.wait(lambda one: one.get("id") == number and "method" not in one)
        assert "error" not in answer, answer
        return answer["result"]

    def wait(self, wanted: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """Return the next message that is wanted; the others are kept in ``messages``."""
        deadline = time.monotonic() + PATIENCE
        while True:
            message = self._incoming.get(timeout=max(0.01, deadline - time.monotonic()))
            assert message is not None, "the server has gone"
            self.messages.append(message)
            if "id" in message and "method" in message:
                self.send({"id": message["id"], "result": None})
            if wanted(message):
                return message

    # -- a session ----------------------------------------------------------------------------

    def initialize(self, abilities: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
        """Begin; return what the server can do."""
        params = {
            "processId": os.getpid(),
            "rootUri": self.folder.as_uri(),
            "workspaceFolders": [{"uri": self.folder.as_uri(), "name": "it"}],
            "capabilities": ABILITIES if abilities is None else abilities,
            **more,
        }
        answer = self.request("initialize", params)
        self.notify("initialized", {})
        able: dict[str, Any] = answer["capabilities"]
        return able

    def uri(self, name: str) -> str:
        """Return the address of a file in the folder."""
        return name if ":" in name else (self.folder / name).as_uri()

    def open(self, name: str, text: str | None = None) -> list[dict[str, Any]]:
        """Open a file, with another text than on disk if one is given; return its diagnostics."""
        if text is None:
            text = (self.folder / name).read_bytes().decode()
        uri = self.uri(name)
        self.texts[uri], self.versions[uri] = text, 1
        document = {"uri": uri, "languageId": "python", "version": 1, "text": text}
        self.notify("textDocument/didOpen", {"textDocument": document})
        return self.diagnostics(name)

    def change(self, name: str, text: str) -> None:
        """Type: give an open document another text."""
        uri = self.uri(name)
        self.texts[uri] = text
        self.versions[uri] += 1
        self.notify(
            "textDocument/didChange",
            {
                "textDocument": {"uri": uri, "version": self.versions[uri]},
                "contentChanges": [{"text": text}],
            },
        )

    def save(self, name: str) -> None:
        """Write a document to disk, and say so."""
        uri = self.uri(name)
        (self.folder / name).write_bytes(self.texts[uri].encode())
        self.notify("textDocument/didSave", {"textDocument": {"uri": uri}})

    def close(self, name: str) -> None:
        """Close a document."""
        self.notify("textDocument/didClose", {"textDocument": {"uri": self.uri(name)}})

    def diagnostics(self, name: str) -> list[dict[str, Any]]:
        """Return the next diagnostics of the text that a document has now."""
        uri = self.uri(name)

        def wanted(message: dict[str, Any]) -> bool:
            params = message.get("params") or {}
            return (
                message.get("method") == "textDocument/publishDiagnostics"
                and params["uri"] == uri
                and params.get("version") in {None, self.versions[uri]}
            )

        found: list[dict[str, Any]] = self.wait(wanted)["params"]["diagnostics"]
        return found

    def follow(self, name: str, wanted: list[str]) -> None:
        """Wait until the diagnostics of a document have these codes; others may be told before."""
        while [one["code"] for one in self.diagnostics(name)] != wanted:
            pass

    def hover(self, name: str, line: int, character: int) -> Any:
        """Rest the pointer on a place, counted from 0."""
        place = {"line": line, "character": character}
        document = {"uri": self.uri(name)}
        return self.request("textDocument/hover", {"textDocument": document, "position": place})

    def actions(self, name: str, where: Any, *only: str) -> list[dict[str, Any]]:
        """Ask what can be done in a range."""
        context = {"diagnostics": [], **({"only": list(only)} if only else {})}
        found: list[dict[str, Any]] = self.request(
            "textDocument/codeAction",
            {"textDocument": {"uri": self.uri(name)}, "range": where, "context": context},
        )
        return found

    def apply(self, name: str, action: dict[str, Any], encoding: str = "utf-16-le") -> str:
        """Return the text of a document after the edits of an action, as an editor makes them."""
        uri = self.uri(name)
        (change,) = action["edit"]["documentChanges"]
        assert change["textDocument"] == {"uri": uri, "version": self.versions[uri]}
        text = self.texts[uri]
        width = {"utf-16-le": 2, "utf-8": 1, "utf-32-le": 4}[encoding]

        def offset(place: dict[str, int]) -> int:
            lines = _LINE.findall(text)
            before = sum(map(len, lines[: place["line"]]))
            data = lines[place["line"]].encode(encoding)[: place["character"] * width]
            return before + len(data.decode(encoding))

        edits = [
            (offset(one["range"]["start"]), offset(one["range"]["end"]), one["newText"])
            for one in change["edits"]
        ]
        for start, end, new in sorted(edits, reverse=True):
            text = text[:start] + new + text[end:]
        return text

    def leave(self, *, politely: bool = True) -> int:
        """End the session; return the exit code of the server."""
        if politely:
            self.request("shutdown")
        self.notify("exit")
        return self.ended()

    def ended(self) -> int:
        """Return the exit code once the server has gone; it must have said nothing on the side."""
        code = self.process.wait(PATIENCE)
        assert self.process.stderr is not None
        assert self.process.stderr.read() == b""
        return code

    def kill(self) -> None:
        """Leave nothing behind."""
        self.process.kill()
        self.process.wait()
        self._reader.join()
        for stream in (self.process.stdin, self.process.stdout, self.process.stderr):
            assert stream is not None
            try:
                stream.close()
            except BrokenPipeError:
                continue


@pytest.fixture
def start(tmp_path: Path, nursery: Callable[..., Nursery]) -> Iterator[Callable[..., Editor]]:
    """Return a function that starts the server in a folder of its own and returns the editor.

    `tests/cli/test_server.py` starts it in a fresh Python.
    """
    servers = nursery("trainlint.cli.server", "trainlint.server.session")
    editors = []
    environment = {
        key: value for key, value in os.environ.items() if not key.startswith("TRAINLINT_")
    }

    def started(*arguments: str, **variables: str) -> Editor:
        process = servers.start(
            ["-m", "trainlint", "server", *arguments],
            cwd=tmp_path,
            env={**environment, **variables},
        )
        editor = Editor(tmp_path, process)
        editors.append(editor)
        return editor

    yield started
    for editor in editors:
        editor.kill()


@pytest.fixture
def editor(start: Callable[..., Editor]) -> Editor:
    """Return an editor whose server runs."""
    return start("--debounce", "20")
