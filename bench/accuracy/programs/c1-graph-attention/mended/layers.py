import torch
import torch.nn as nn
import torch.nn.functional as F


class GraphAttentionHead(nn.Module):
    """One head of https://arxiv.org/abs/1710.10903 on a dense adjacency matrix."""

    def __init__(self, in_features, out_features, dropout, alpha=0.2):
        super().__init__()
        self.dropout = dropout
        self.alpha = alpha
        self.W = nn.Parameter(torch.empty(in_features, out_features))
        nn.init.xavier_uniform_(self.W, gain=1.414)
        self.a = nn.Parameter(torch.empty(2 * out_features, 1))
        nn.init.xavier_uniform_(self.a, gain=1.414)
        self.out_features = out_features

    def forward(self, h, adj):
        wh = h @ self.W
        left = wh @ self.a[: self.out_features]
        right = wh @ self.a[self.out_features:]
        e = F.leaky_relu(left + right.T, self.alpha)
        e = e.masked_fill(adj == 0, float("-inf"))
        attention = F.softmax(e, dim=1)
        attention = F.dropout(attention, self.dropout, training=self.training)
        return attention @ wh
