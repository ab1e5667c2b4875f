import csv

import torch
import torchaudio
from torch.utils.data import Dataset


class ClipDataset(Dataset):
    def __init__(self, index, sample_rate=16000, seconds=4, tags=50):
        with open(index, newline="") as f:
            self.items = [(r["path"], [int(t) for t in r["tags"].split("|")]) for r in csv.DictReader(f)]
        self.length = sample_rate * seconds
        self.tags = tags
        self.melspec = torchaudio.transforms.MelSpectrogram(sample_rate, n_mels=64)

    def __len__(self):
        return len(self.items)

    def __getitem__(self, i):
        path, tags = self.items[i]
        wave, _ = torchaudio.load(path)
        wave = torch.nn.functional.pad(wave.mean(0), (0, self.length))[: self.length]
        target = torch.zeros(self.tags)
        target[tags] = 1.0
        return torch.log1p(self.melspec(wave)).unsqueeze(0), target
