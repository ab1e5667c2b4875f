import torch
from torch.utils.data import Dataset


class Corpus(Dataset):
    """Overlapping windows over one long string."""

    def __init__(self, path, window=128):
        text = open(path, encoding="utf-8").read()
        self.chars = sorted(set(text))
        lookup = {c: i for i, c in enumerate(self.chars)}
        self.ids = torch.tensor([lookup[c] for c in text])
        self.window = window

    def __len__(self):
        return (len(self.ids) - 1) // self.window

    def __getitem__(self, i):
        a = i * self.window
        chunk = self.ids[a:a + self.window + 1]
        return chunk[:-1], chunk[1:]
