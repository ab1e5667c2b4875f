import torch
from torch import nn


class NeuMF(nn.Module):
    """A generalised matrix factorisation beside a small multilayer perceptron."""

    def __init__(self, n_users, n_items, dim=32):
        super().__init__()
        self.user_gmf = nn.Embedding(n_users, dim)
        self.item_gmf = nn.Embedding(n_items, dim)
        self.user_mlp = nn.Embedding(n_users, dim)
        self.item_mlp = nn.Embedding(n_items, dim)
        self.mlp = nn.Sequential(nn.Linear(2 * dim, 64), nn.ReLU(), nn.Linear(64, dim), nn.ReLU())
        self.predict = nn.Linear(2 * dim, 1)

    def forward(self, user, item):
        gmf = self.user_gmf(user) * self.item_gmf(item)
        mlp = self.mlp(torch.cat([self.user_mlp(user), self.item_mlp(item)], dim=1))
        return self.predict(torch.cat([gmf, mlp], dim=1)).squeeze(1)
