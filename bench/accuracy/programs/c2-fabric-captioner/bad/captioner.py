import torch
from torch import nn


class Captioner(nn.Module):
    """Image features from a frozen extractor (precomputed), GRU decoder with the image as the first input."""

    def __init__(self, n_words, n_feat=2048, dim=512):
        super().__init__()
        self.project = nn.Linear(n_feat, dim)
        self.embed = nn.Embedding(n_words, dim, padding_idx=0)
        self.gru = nn.GRU(dim, dim, batch_first=True)
        self.drop = nn.Dropout(0.3)
        self.vocab = nn.Linear(dim, n_words)

    def forward(self, feats, tokens):
        first = self.project(feats).unsqueeze(1)
        seq = torch.cat([first, self.embed(tokens[:, :-1])], dim=1)
        hidden, _ = self.gru(self.drop(seq))
        return self.vocab(self.drop(hidden))
