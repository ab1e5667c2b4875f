import torch
import torch.nn as nn
import torch.nn.functional as F

from layers import GraphAttentionHead


class GAT(nn.Module):
    def __init__(self, nfeat, nhid, nclass, dropout=0.5, nheads=8):
        super().__init__()
        self.dropout = dropout
        self.heads = nn.ModuleList([GraphAttentionHead(nfeat, nhid, dropout) for _ in range(nheads)])
        self.out_att = GraphAttentionHead(nhid * nheads, nclass, dropout)

    def forward(self, x, adj):
        x = F.dropout(x, self.dropout, training=self.training)
        x = torch.cat([F.elu(head(x, adj)) for head in self.heads], dim=1)
        x = F.dropout(x, self.dropout, training=self.training)
        return self.out_att(x, adj)
