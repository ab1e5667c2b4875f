"""Classify infrared spectra of plastics (9 kinds) with a deep sigmoid network."""
from functools import partial

import numpy as np
import torch
import torch.nn as nn
from torch.optim import Adam
from torch.utils.data import DataLoader, TensorDataset

N_POINTS = 900
KINDS = ["PE", "PP", "PS", "PET", "PVC", "PA", "PMMA", "PC", "PU"]


def block(n_in, n_out):
    return [nn.Linear(n_in, n_out), nn.LayerNorm(n_out), nn.GELU()]


class DeepNet(nn.Module):
    def __init__(self, n_in, n_out, sizes=(200, 200, 200, 200, 200, 200)):
        super().__init__()
        modules = []
        for size in sizes:
            modules.extend(block(n_in, size))
            n_in = size
        self.features = nn.Sequential(*modules)
        self.classifier = nn.Linear(n_in, n_out)

        for m in self.modules():
            if isinstance(m, nn.Linear):
                nn.init.kaiming_normal_(m.weight)
                nn.init.zeros_(m.bias)

    def forward(self, spectrum):
        return self.classifier(self.features(spectrum))


def read(split):
    table = np.loadtxt(f"ftir_{split}.csv", delimiter=",", dtype=np.float32)
    x = torch.from_numpy(table[:, 1:])
    return TensorDataset((x - x.mean(1, keepdim=True)) / x.std(1, keepdim=True),
                         torch.from_numpy(table[:, 0]).long())


def confusion(net, loader):
    net.eval()
    matrix = torch.zeros(len(KINDS), len(KINDS), dtype=torch.long)
    with torch.no_grad():
        for spectrum, kind in loader:
            for truth, guess in zip(kind, net(spectrum).argmax(1)):
                matrix[truth, guess] += 1
    return matrix


def main(epochs=40, lr=1e-3):
    torch.manual_seed(99)
    loader = partial(DataLoader, batch_size=32)
    train_loader = loader(read("train"), shuffle=True)
    val_loader = loader(read("val"))
    net = DeepNet(N_POINTS, len(KINDS))
    optimizer = Adam(net.parameters(), lr=lr)
    loss_function = nn.CrossEntropyLoss()

    for epoch in range(epochs):
        net.train()
        epoch_loss = 0.0
        for spectrum, kind in train_loader:
            optimizer.zero_grad()
            loss = loss_function(net(spectrum), kind)
            loss.backward()
            optimizer.step()
            epoch_loss += loss.item()
        m = confusion(net, val_loader)
        print(f"{epoch:02d}: loss {epoch_loss / len(train_loader):.3f} "
              f"accuracy {m.diagonal().sum().item() / m.sum().item():.3f}")


if __name__ == "__main__":
    main()
