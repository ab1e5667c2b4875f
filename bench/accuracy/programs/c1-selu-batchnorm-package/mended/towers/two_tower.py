from torch import Tensor, nn

from .tower import Tower


class TwoTower(nn.Module):
    def __init__(self, user_dim: int, item_dim: int):
        super().__init__()
        self.user = Tower(user_dim)
        self.item = Tower(item_dim)

    def forward(self, user: Tensor, item: Tensor) -> Tensor:
        return self.user(user) @ self.item(item).T
