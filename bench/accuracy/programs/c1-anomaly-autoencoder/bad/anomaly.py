"""Autoencoder for anomaly scores on machine telemetry. Usage: anomaly.py telemetry.npy"""
import argparse

import numpy as np
import torch
import torch.nn as nn
import torch.optim as optim


class TanhAutoencoder(nn.Module):
    def __init__(self, n_channels, n_hidden, n_code):
        super().__init__()
        self.enc1 = nn.Linear(n_channels, n_hidden)
        self.enc2 = nn.Linear(n_hidden, n_code)
        self.dec1 = nn.Linear(n_code, n_hidden)
        self.dec2 = nn.Linear(n_hidden, n_channels)
        self.log_scale = torch.zeros(n_channels, requires_grad=True)
        for layer in (self.enc1, self.enc2, self.dec1):
            nn.init.kaiming_normal_(layer.weight)
            nn.init.zeros_(layer.bias)

    def encode(self, x):
        return torch.tanh(self.enc2(torch.tanh(self.enc1(x))))

    def decode(self, code):
        return self.dec2(torch.tanh(self.dec1(code))) * self.log_scale.exp()

    def forward(self, x):
        return self.decode(self.encode(x))


def batches(x, size):
    for idx in torch.randperm(len(x)).split(size):
        yield x[idx]


def fit(net, x, n_epochs, batch_size, lr):
    criterion = nn.MSELoss()
    optimizer = optim.RMSprop(net.parameters(), lr=lr, alpha=0.9)
    for epoch in range(n_epochs):
        net.train()
        total, n = 0.0, 0
        for xb in batches(x, batch_size):
            reconstruction = net(xb)
            loss = criterion(reconstruction, xb)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total += loss.item() * len(xb)
            n += len(xb)
        print("epoch %3d: mse %.5f" % (epoch, total / n))


def score(net, x):
    net.eval()
    with torch.no_grad():
        return (net(x) - x).pow(2).mean(dim=1)


def main():
    ap = argparse.ArgumentParser(description=__doc__)
    ap.add_argument("telemetry")
    ap.add_argument("--hidden", type=int, default=64)
    ap.add_argument("--code", type=int, default=8)
    ap.add_argument("--epochs", type=int, default=30)
    ap.add_argument("--batch-size", type=int, default=128)
    ap.add_argument("--lr", type=float, default=5e-4)
    a = ap.parse_args()

    torch.manual_seed(5)
    raw = np.load(a.telemetry).astype("float32")
    x = torch.from_numpy((raw - raw.mean(0)) / (raw.std(0) + 1e-6))
    cut = int(len(x) * 0.8)
    net = TanhAutoencoder(x.shape[1], a.hidden, a.code)
    fit(net, x[:cut], a.epochs, a.batch_size, a.lr)
    threshold = torch.quantile(score(net, x[:cut]), 0.99)
    alarms = score(net, x[cut:]) > threshold
    print("%d of %d windows look odd" % (int(alarms.sum()), len(alarms)))


if __name__ == "__main__":
    main()
