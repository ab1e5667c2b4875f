from pathlib import Path

import numpy as np
import torch
import torchaudio
from torch.utils.data import Dataset


class SpeechCommands(Dataset):
    """16 kHz clips of one second; the training split is mixed with background noise."""

    def __init__(self, root, words, noise=None):
        self.files = [(p, words.index(p.parent.name)) for p in sorted(Path(root).glob("*/*.wav"))
                      if p.parent.name in words]
        self.noise = noise
        self.mfcc = torchaudio.transforms.MFCC(16000, n_mfcc=40)
        self.rng = np.random.default_rng(1234)

    def __len__(self):
        return len(self.files)

    def __getitem__(self, idx):
        path, label = self.files[idx]
        wave, _ = torchaudio.load(path)
        wave = torch.nn.functional.pad(wave[0], (0, 16000))[:16000]
        if self.noise is not None:
            start = int(self.rng.integers(0, len(self.noise) - 16000))
            wave = wave + float(self.rng.uniform(0, 0.1)) * self.noise[start:start + 16000]
        return self.mfcc(wave), label
