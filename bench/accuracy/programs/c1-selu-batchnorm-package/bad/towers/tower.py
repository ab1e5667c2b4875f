import math
from typing import Sequence

from torch import Tensor, nn


class Tower(nn.Module):
    """Dense tower, self-normalising."""

    def __init__(self, in_dim: int, dims: Sequence[int] = (256, 256, 64)):
        super().__init__()
        layers: list[nn.Module] = []
        for out_dim in dims:
            layers.append(nn.Linear(in_dim, out_dim, bias=False))
            layers.append(nn.BatchNorm1d(out_dim))
            layers.append(nn.SELU())
            in_dim = out_dim
        self.net = nn.Sequential(*layers)
        self.scale = 1.0 / math.sqrt(in_dim)
        self.apply(self._init)

    @staticmethod
    def _init(module: nn.Module) -> None:
        if isinstance(module, nn.Linear):
            nn.init.kaiming_normal_(module.weight, nonlinearity="selu")

    def forward(self, x: Tensor) -> Tensor:
        return self.net(x) * self.scale
