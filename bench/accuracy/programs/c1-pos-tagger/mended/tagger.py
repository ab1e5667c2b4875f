import torch
from torch import nn


class WordEncoder(nn.Module):
    """Word vector plus a vector for the last three letters."""

    def __init__(self, n_words, n_suffixes, dim):
        super().__init__()
        self.word = nn.Embedding(n_words, dim, padding_idx=0)
        self.suffix = nn.Embedding(n_suffixes, dim // 2, padding_idx=0)
        self.dim = dim + dim // 2

    def forward(self, words, suffixes):
        return torch.cat([self.word(words), self.suffix(suffixes)], dim=-1)


class Tagger(nn.Module):
    def __init__(self, n_words, n_suffixes, n_tags, dim=100, hidden=128):
        super().__init__()
        self.encoder = WordEncoder(n_words, n_suffixes, dim)
        self.gru = nn.GRU(self.encoder.dim, hidden, num_layers=2, dropout=0.3,
                          bidirectional=True, batch_first=True)
        self.scores = nn.Linear(2 * hidden, n_tags)
        self.log_softmax = nn.LogSoftmax(dim=-1)

    def forward(self, words, suffixes):
        h, _ = self.gru(self.encoder(words, suffixes))
        return self.log_softmax(self.scores(h))
