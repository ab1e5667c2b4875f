"""Fixtures that run the command line in this process, in a folder of its own."""

from __future__ import annotations

import io
import os
import sys
from typing import TYPE_CHECKING, NamedTuple

import pytest

from trainlint.cli.main import run

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

SCRIPT = """\
import torch.nn.functional as F


def train(net, optimizer, loader):
    net.train()
    for inputs, targets in loader:
        # The network ends in a linear layer.
        outputs = F.softmax(net(inputs), dim=1)
        loss = F.cross_entropy(outputs, targets)
        loss.backward()
        optimizer.step()
"""
"""Breaks TL301 in line 9 and TL501 in line 11."""


class Done(NamedTuple):
    """What a run of the command left."""

    code: int
    out: str
    err: str


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return an empty folder, which is the current one."""
    for name in list(os.environ):
        if name.startswith("TRAINLINT_") or name in {"NO_COLOR", "FORCE_COLOR", "CI_PROJECT_DIR"}:
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def script(folder: Path) -> Path:
    """Return a script in the current folder that breaks TL301 and TL501."""
    path = folder / "train.py"
    path.write_text(SCRIPT)
    return path


@pytest.fixture
def trainlint(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Callable[..., Done]:
    """Return a function that runs the command in the current folder."""
    del folder

    def command(*arguments: str, stdin: bytes = b"") -> Done:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin)))
        capsys.readouterr()
        code = run(arguments)
        return Done(code, *capsys.readouterr())

    return command


@pytest.fixture
def found(trainlint: Callable[..., Done]) -> Callable[..., list[str]]:
    """Return a function that runs `check` and gives `path:line code` of each diagnosis."""

    def diagnoses(*arguments: str, **keywords: bytes) -> list[str]:
        done = trainlint("check", "--output-format", "concise", "-q", *arguments, **keywords)
        assert done.err == ""
        rows = [line.split() for line in done.out.splitlines()]
        return [f"{place.rsplit(':', 2)[0]} {code}" for place, _, code, *_ in rows]

    return diagnoses
