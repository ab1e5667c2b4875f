"""A notebook shows a monitor as its summary."""

from __future__ import annotations

import torch
from torch import nn

import trainlint


def test_a_notebook_shows_the_summary_of_a_monitor():
    net = nn.Sequential(nn.Linear(2, 2), nn.ReLU())
    optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
    with trainlint.watch(net, optimizer, recording=False, live=False) as monitor:
        net(torch.ones(3, 2)).sum().backward()
        optimizer.step()
        shown = monitor._repr_html_()
    assert shown.startswith("<pre")
    assert "in 1 step" in shown
