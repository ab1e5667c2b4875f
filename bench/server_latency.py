"""How long an editor waits: from a change to the diagnostics, beside the plain lint of the same file.

    python bench/server_latency.py [--files 100] [--lines 500] [--rounds 30]

A workspace of so many files that train is made up: each imports a model from another file. In turn: a
character is typed in the file of so many lines and the time until `trainlint server` publishes its
diagnostics is taken, with no debounce, over real pipes; and in this process the same text is parsed and
linted with the other files as its project, which were read before. Medians and the ratio round by round.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import IO, Any

from trainlint.core.catalogue import load_catalogue
from trainlint.core.config import Config, resolve
from trainlint.static.engine import lint_source
from trainlint.static.project import Project
from trainlint.static.source import SourceFile

MODEL = """\
from torch import nn


class Net{number}(nn.Module):
    def __init__(self, width=64):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(32, width), nn.ReLU(), nn.Linear(width, width), nn.ReLU())
        self.head = nn.Linear(width, 10)

    def forward(self, x):
        return self.head(self.body(x))
"""

TRAIN = """\


def train{number}(loader, epochs=3):
    net = Net{model}()
    criterion = nn.CrossEntropyLoss()
    optimizer = torch.optim.SGD(net.parameters(), lr=0.1, momentum=0.9)
    net.train()
    for epoch in range(epochs):
        total = 0.0
        for inputs, targets in loader:
            optimizer.zero_grad()
            loss = criterion(net(inputs), targets)
            loss.backward()
            optimizer.step()
            total += loss.item()
        print(epoch, total)
    return net
"""


def main() -> None:
    """Make the workspace, type and lint in turn, print the table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--files", type=int, default=100, help="files of the workspace (100)")
    parser.add_argument("--lines", type=int, default=500, help="lines of the one typed in (500)")
    parser.add_argument("--rounds", type=int, default=30, help="counted rounds (30)")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        path, text = _make(folder, options.files, options.lines)
        plain = _Plain(sorted(str(one) for one in folder.rglob("*.py")), str(path))
        server = _Server(folder, path, text)
        typed, linted = [], []
        for number in range(-3, options.rounds):
            changed = f"{text}# {number}\n"
            seconds, diagnostics = server.change(changed)
            plainly, diagnoses = plain.lint(changed)
            assert diagnostics == diagnoses, (diagnostics, diagnoses)
            if number >= 0:
                typed.append(seconds)
                linted.append(plainly)
        server.close()
    ratio = statistics.median(one / other for one, other in zip(typed, linted, strict=True))
    lines = text.count("\n")
    print(f"{options.files} files, {lines} lines typed in, {diagnoses} diagnosis; medians\n")
    print(f"{'from a change to the diagnostics':36}{statistics.median(typed) * 1000:>8.1f} ms")
    print(f"{'parsed and linted in one process':36}{statistics.median(linted) * 1000:>8.1f} ms")
    print(f"{'ratio':36}{ratio:>8.2f}")


def _make(folder: Path, files: int, lines: int) -> tuple[Path, str]:
    """Write a workspace; return the path and the text of the long file in it."""
    pairs = max(1, (files - 1) // 2)
    head = "import torch\nfrom torch import nn\n\n"
    for number in range(pairs):
        (folder / f"model{number}.py").write_text(MODEL.format(number=number))
        body = TRAIN.format(number=number, model=number)
        source = f"{head}from model{number} import Net{number}\n{body}"
        (folder / f"train{number}.py").write_text(source)
    loops: list[str] = []
    imports: list[str] = []
    while sum(one.count("\n") for one in (head, *imports, *loops)) < lines - 1:
        model = len(loops) % pairs
        imports.append(f"from model{model} import Net{model}\n")
        loops.append(TRAIN.format(number=len(loops), model=model))
    # One mistake, so that there is something to show.
    loops[0] = loops[0].replace("            optimizer.zero_grad()\n", "")
    text = head + "".join(dict.fromkeys(imports)) + "".join(loops)
    path = folder / "long.py"
    path.write_text(text)
    return path, text


class _Plain:
    """Lints the file in this process, in a project that knows the other files."""

    def __init__(self, files: list[str], path: str) -> None:
        self._project = Project(files)
        self._path = path
        self._settings = resolve(load_catalogue(), Config())

    def lint(self, text: str) -> tuple[float, int]:
        """Return the seconds that linting took, and the number of diagnoses."""
        started = time.perf_counter()
        source = SourceFile(self._path, text)
        self._project.replace(source)
        report = lint_source(source, self._settings, project=self._project)
        return time.perf_counter() - started, len(report.diagnoses)


class _Server:
    """A session of the language server."""

    def __init__(self, folder: Path, path: Path, text: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "trainlint", "server", "--isolated", "--debounce", "0"],
            cwd=folder,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._to: IO[bytes] = self._process.stdin
        self._from: IO[bytes] = self._process.stdout
        self._uri = path.as_uri()
        self._version = 1
        self._send("initialize", {"capabilities": {}, "rootUri": folder.as_uri()}, number=1)
        self._wait(lambda one: one.get("id") == 1)
        self._send("initialized", {})
        document = {"uri": self._uri, "languageId": "python", "version": 1, "text": text}
        self._send("textDocument/didOpen", {"textDocument": document})
        self._diagnostics()

    def change(self, text: str) -> tuple[float, int]:
        """Return the seconds until the diagnostics of a text have come, and their number."""
        self._version += 1
        document = {"uri": self._uri, "version": self._version}
        started = time.perf_counter()
        self._send(
            "textDocument/didChange",
            {"textDocument": document, "contentChanges": [{"text": text}]},
        )
        found = self._diagnostics()
        return time.perf_counter() - started, found

    def close(self) -> None:
        """Take leave."""
        self._send("shutdown", None, number=2)
        self._wait(lambda one: one.get("id") == 2)  # noqa: PLR2004
        self._send("exit", None)
        code = self._process.wait()
        assert code == 0, code

    def _diagnostics(self) -> int:
        """Wait for the diagnostics of the version that was sent last; return their number."""
        message = self._wait(lambda one: (one.get("params") or {}).get("version") == self._version)
        return len(message["params"]["diagnostics"])

    def _send(self, method: str, params: Any, *, number: int | None = None) -> None:
        """Write a message."""
        message = {"jsonrpc": "2.0", "method": method, "params": params}
        if number is not None:
            message["id"] = number
        body = json.dumps(message).encode()
        self._to.write(b"Content-Length: %d\r\n\r\n%s" % (len(body), body))
        self._to.flush()

    def _wait(self, wanted: Any) -> dict[str, Any]:
        """Return the next message that is wanted."""
        while True:
            length = 0
            while header := self._from.readline().strip():
                if header.lower().startswith(b"content-length:"):
                    length = int(header.partition(b":")[2])
            message: dict[str, Any] = json.loads(self._from.read(length))
            if wanted(message):
                return message


if __name__ == "__main__":
    main()
