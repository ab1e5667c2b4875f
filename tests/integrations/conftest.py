"""Tests of the integrations run against the real packages, where those are installed."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")

from torch import nn  # noqa: E402 - where torch is


@pytest.fixture(autouse=True)
def _alone(monkeypatch, tmp_path):
    """Run each test with one thread, in a folder of its own, and without the default recording."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TRAINLINT_RECORDING", "0")
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        yield
    torch.set_num_threads(threads)


@pytest.fixture
def model():
    """Return a small healthy network; with `bias` of -30 its first layer is dead."""

    def make(bias=0.0):
        model = nn.Sequential(nn.Linear(8, 64), nn.ReLU(), nn.Linear(64, 3))
        first = model[0]
        assert isinstance(first, nn.Linear)
        nn.init.constant_(first.bias, bias)
        return model

    return make


@pytest.fixture
def data():
    """Return inputs and labels that can be learned."""
    inputs = torch.randn(1024, 8)
    return inputs, inputs[:, :3].argmax(1)
