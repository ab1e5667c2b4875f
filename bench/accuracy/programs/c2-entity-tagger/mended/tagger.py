import torch
import torch.nn as nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence, pad_sequence


class BiLSTMTagger(nn.Module):
    def __init__(self, n_words, n_tags, emb_dim=100, hidden=200, p_drop=0.5):
        super().__init__()
        self.emb = nn.Embedding(n_words, emb_dim, padding_idx=0)
        self.lstm = nn.LSTM(emb_dim, hidden // 2, batch_first=True, bidirectional=True)
        self.dropout = nn.Dropout(p_drop)
        self.proj = nn.Linear(hidden, n_tags)

    def forward(self, words, lengths):
        x = self.dropout(self.emb(words))
        packed = pack_padded_sequence(x, lengths, batch_first=True, enforce_sorted=False)
        out, _ = pad_packed_sequence(self.lstm(packed)[0], batch_first=True)
        return self.proj(self.dropout(out))


def collate(sentences):
    words, tags = zip(*sentences)
    lengths = torch.tensor([len(w) for w in words])
    return pad_sequence(words, True), pad_sequence(tags, True, padding_value=-1), lengths
