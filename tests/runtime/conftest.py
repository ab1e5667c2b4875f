"""Tests of the runtime need torch, write no recording where they run, and leave its state alone."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")

from trainlint.runtime import ears  # noqa: E402 - where torch is
from trainlint.runtime.monitor import Monitor  # noqa: E402


@pytest.fixture(autouse=True)
def _alone(monkeypatch, tmp_path):
    """Run each test with one thread, in a folder of its own, and without the default recording."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TRAINLINT_RECORDING", "0")
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    with torch.random.fork_rng():
        yield
    for monitor in tuple(ears._listeners):  # of a test that failed
        assert isinstance(monitor, Monitor)
        monitor.close()
    torch.set_num_threads(threads)
