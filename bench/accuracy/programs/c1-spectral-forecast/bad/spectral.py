import argparse
import math

import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset

device = torch.device("cuda" if torch.cuda.is_available() else "cpu")


class LoadWindows(Dataset):
    """One week of hourly load, and the load of the hour that follows."""

    def __init__(self, series, window=168):
        self.series = torch.as_tensor(series, dtype=torch.float32)
        self.window = window

    def __len__(self):
        return len(self.series) - self.window

    def __getitem__(self, i):
        return self.series[i:i + self.window], self.series[i + self.window]


class SpectralBlock(nn.Module):
    def __init__(self, window, width):
        super().__init__()
        n_freq = window // 2 + 1
        self.filter = nn.Parameter(torch.ones(n_freq) / math.sqrt(n_freq)).to(device)
        self.up = nn.Linear(n_freq, width)

    def forward(self, x):
        spectrum = np.abs(np.fft.rfft(x.cpu().numpy(), axis=-1))
        spectrum = torch.from_numpy(spectrum).float().to(x.device)
        return torch.tanh(self.up(torch.log1p(spectrum) * self.filter))


class Forecaster(nn.Module):
    def __init__(self, window=168, width=96):
        super().__init__()
        self.spectral = SpectralBlock(window, width)
        self.recent = nn.Linear(24, width)
        self.out = nn.Linear(2 * width, 1)

    def forward(self, x):
        h = torch.cat([self.spectral(x), torch.tanh(self.recent(x[:, -24:]))], dim=1)
        return self.out(h)


def mae(model, loader):
    model.eval()
    total = 0.0
    with torch.no_grad():
        for x, y in loader:
            total += (model(x.to(device)).squeeze(-1).cpu() - y).abs().sum().item()
    return total / len(loader.dataset)


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("csv")
    ap.add_argument("--epochs", type=int, default=12)
    ap.add_argument("--lr", type=float, default=1e-3)
    args = ap.parse_args()
    torch.manual_seed(6)

    load = np.loadtxt(args.csv, delimiter=",", usecols=1, skiprows=1)
    cut = int(0.85 * len(load))
    load = (load - load[:cut].mean()) / load[:cut].std()
    train_loader = DataLoader(LoadWindows(load[:cut]), batch_size=128, shuffle=True)
    test_loader = DataLoader(LoadWindows(load[cut:]), batch_size=512)

    model = Forecaster().to(device)
    optimizer = torch.optim.Adam(model.parameters(), lr=args.lr)
    mse = nn.MSELoss()
    for epoch in range(args.epochs):
        model.train()
        for x, y in train_loader:
            x, y = x.to(device), y.to(device)
            optimizer.zero_grad()
            loss = mse(model(x), y)
            loss.backward()
            optimizer.step()
        print(f"epoch {epoch + 1}: test MAE {mae(model, test_loader):.4f}")


if __name__ == "__main__":
    main()
