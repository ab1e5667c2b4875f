import torch
from torch import nn


class BagEncoder(nn.Module):
    """Mean of word vectors, then two hidden layers; pretrained on query logs."""

    def __init__(self, vocab=50_000, dim=128, hidden=256, n_out=1000):
        super().__init__()
        self.words = nn.Embedding(vocab, dim, padding_idx=0)
        self.fc1 = nn.Linear(dim, hidden)
        self.fc2 = nn.Linear(hidden, hidden)
        self.drop = nn.Dropout(0.2)
        self.head = nn.Linear(hidden, n_out)

    def forward(self, ids):
        lengths = (ids != 0).sum(dim=1, keepdim=True).clamp(min=1)
        h = self.words(ids).sum(dim=1) / lengths
        h = torch.relu(self.fc1(h))
        h = self.drop(torch.relu(self.fc2(h)))
        return self.head(h)
