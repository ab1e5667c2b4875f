import os

import torch
import torch.nn as nn
import torchaudio
from torch.utils.data import DataLoader
from torchaudio.datasets import SPEECHCOMMANDS

from spotter import KeywordSpotter

WORDS = ["yes", "no", "up", "down", "left", "right", "on", "off", "stop", "go"]
to_mel = torchaudio.transforms.MelSpectrogram(sample_rate=16_000, n_mels=64)


def collate(rows):
    waves, labels = [], []
    for wave, _rate, word, *_ in rows:
        if word not in WORDS:
            continue
        pad = torch.zeros(1, 16_000)
        pad[:, : wave.size(1)] = wave[:, :16_000]
        waves.append(pad)
        labels.append(WORDS.index(word))
    mel = to_mel(torch.stack(waves)).clamp(min=1e-6).log()
    return mel, torch.tensor(labels)


def main():
    torch.manual_seed(3)
    root = os.environ.get("SPEECH_ROOT", "./speech")
    train = DataLoader(SPEECHCOMMANDS(root, subset="training"), 256, shuffle=True, collate_fn=collate, drop_last=True)
    valid = DataLoader(SPEECHCOMMANDS(root, subset="validation"), 256, collate_fn=collate)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    model = KeywordSpotter(len(WORDS)).to(device)
    opt = torch.optim.Adam(model.parameters(), lr=1e-3)
    crit = nn.CrossEntropyLoss()

    best = 0.0
    for epoch in range(1, 21):
        model.train()
        for mel, label in train:
            opt.zero_grad()
            loss = crit(model(mel.to(device)), label.to(device))
            loss.backward()
            opt.step()

        model.eval()
        right = seen = 0
        with torch.no_grad():
            for mel, label in valid:
                right += (model(mel.to(device)).argmax(1).cpu() == label).sum().item()
                seen += len(label)
        print(f"epoch {epoch}: {right / seen:.4f}")
        if right / seen > best:
            best = right / seen
            torch.save(model.state_dict(), "kws.pt")


if __name__ == "__main__":
    main()
