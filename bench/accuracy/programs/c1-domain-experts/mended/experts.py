from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class Expert(nn.Module):
    def __init__(self, d_in: int, d_out: int, d_hidden: int = 128):
        super().__init__()
        self.inp = nn.Linear(d_in, d_hidden)
        self.out = nn.Linear(d_hidden, d_out)

    def forward(self, x: Tensor) -> Tensor:
        return self.out(F.silu(self.inp(x)))


class MixtureOfExperts(nn.Module):
    """Every expert sees every row (there are only a handful of them)."""

    def __init__(self, names: list[str], d_in: int, d_out: int):
        super().__init__()
        self.experts = nn.ModuleDict({name: Expert(d_in, d_out) for name in names})
        self.temperature = nn.Parameter(torch.ones(1))
        self.gate = nn.Linear(d_in, len(names))

    def forward(self, x: Tensor) -> Tensor:
        scores = self.gate(x) / self.temperature.clamp(min=0.1)  # (B, E)
        weights = torch.softmax(scores, dim=1)
        outs = torch.stack([expert(x) for expert in self.experts.values()], dim=1)  # (B, E, d_out)
        return (weights.unsqueeze(-1) * outs).sum(dim=1)
