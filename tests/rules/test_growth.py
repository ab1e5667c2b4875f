"""The work of the rules grows with a file, not with its square: counted in calls, not in seconds."""

from __future__ import annotations

import cProfile

import pytest

from trainlint.core.config import Config, Selection, resolve
from trainlint.static.engine import lint_bytes

TRAINING = """
def train_{n}(net, x, y, optimizer, scheduler):
    optimizer.zero_grad()
    loss = F.cross_entropy(net(x), y)
    loss.backward()
    optimizer.step()
    scheduler.step()
    total_{n} = loss.item()
"""
MODULE = """
class Net{n}(nn.Module):
    def __init__(self, width={n}):
        super().__init__()
        self.fc = nn.Linear(8, width)
        self.norm = nn.BatchNorm1d(width)
        nn.init.kaiming_normal_(self.fc.weight)
    def forward(self, x):
        return F.relu(self.norm(self.fc(x)))
"""
SCRIPT = """
model_{n} = nn.Sequential(nn.Linear(8, 8), nn.ReLU(), nn.Linear(8, 2))
optimizer_{n} = torch.optim.Adam(model_{n}.parameters(), lr=1e-3)
loader_{n} = torch.utils.data.DataLoader(data, batch_size=32, shuffle=True)
"""


@pytest.mark.parametrize("piece", [TRAINING, MODULE, SCRIPT])
def test_four_times_the_code_is_about_four_times_the_work(catalogue, piece):
    settings = resolve(catalogue, Config(), Selection("the test", select=("ALL",)))

    def work(count: int) -> int:
        head = "import torch\nimport torch.nn.functional as F\nfrom torch import nn\n"
        text = head + "".join(piece.format(n=number) for number in range(count))
        profile = cProfile.Profile()
        report = profile.runcall(lint_bytes, "many.py", text.encode(), settings)
        assert report.failures == []
        return sum(entry.callcount for entry in profile.getstats())

    work(2)  # what is imported and kept at the first use
    assert work(160) < 6 * work(40)
