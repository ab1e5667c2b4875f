import torch
import torch.nn as nn
import torch.nn.functional as F


class Tower(nn.Module):
    def __init__(self, n_ids, dim=64, out=128):
        super().__init__()
        self.bag = nn.EmbeddingBag(n_ids, dim, mode="mean")
        self.mlp = nn.Sequential(nn.Linear(dim, 256), nn.ReLU(), nn.Linear(256, out))

    def forward(self, ids, offsets):
        return F.normalize(self.mlp(self.bag(ids, offsets)), dim=-1)


class TwoTower(nn.Module):
    def __init__(self, n_query, n_item):
        super().__init__()
        self.query = Tower(n_query)
        self.item = Tower(n_item)
        self.log_temp = nn.Parameter(torch.tensor(0.0))

    def forward(self, q, q_off, d, d_off):
        sim = self.query(q, q_off) @ self.item(d, d_off).t()
        return sim * self.log_temp.exp()
