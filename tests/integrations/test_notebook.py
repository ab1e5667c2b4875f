"""A real notebook, run by nbclient: the table of the training is in the output of its cell, once."""

from __future__ import annotations

import os

import pytest

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]

CELLS = [
    """\
import torch, trainlint
from torch import nn
torch.manual_seed(0)
first = nn.Linear(8, 64)
nn.init.constant_(first.bias, -30.0)
model = nn.Sequential(first, nn.ReLU(), nn.Linear(64, 3))
optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
monitor = trainlint.watch(model, optimizer, recording=False, every=1)
""",
    """\
inputs = torch.randn(512, 8)
for _ in range(20):
    optimizer.zero_grad()
    nn.functional.cross_entropy(model(inputs), inputs[:, :3].argmax(1)).backward()
    optimizer.step()
monitor.close()
""",
    "monitor",
    "trainlint.probe(nn.Sequential(nn.Linear(8, 64), nn.Tanh(), nn.Linear(64, 3)), torch.randn(32, 8))",
]


def test_a_training_in_a_notebook_is_shown_in_its_cell_and_updated_there(tmp_path):
    nbclient = pytest.importorskip("nbclient")
    nbformat = pytest.importorskip("nbformat")
    pytest.importorskip("ipykernel")
    env = {key: value for key, value in os.environ.items() if "PYTEST" not in key}
    book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(one) for one in CELLS])
    nbclient.NotebookClient(
        book, timeout=120, resources={"metadata": {"path": str(tmp_path)}}
    ).execute(env=env)
    made, trained, monitor, probe = (cell.outputs for cell in book.cells)
    assert made == []
    (table,) = trained
    assert table.output_type == "display_data"
    assert "in 20 steps" in table.data["text/html"]
    assert "TL250 dead-relu" in table.data["text/html"]
    assert "step 10, 1 (ReLU), In[1]:6" in table.data["text/html"]
    (again,) = monitor
    assert "<table" in again.data["text/html"]
    (report,) = probe
    assert "<svg" in report.data["text/html"]
