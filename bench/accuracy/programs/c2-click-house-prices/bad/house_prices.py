#!/usr/bin/env python
import click
import numpy as np
import pandas as pd
import torch
from torch.nn import Dropout, Linear, Module, MSELoss, ReLU, Sequential
from torch.nn.utils import clip_grad_norm_
from torch.optim import Adam
from torch.utils.data import DataLoader, TensorDataset


class PriceRegressor(Module):
    def __init__(self, n_in, width=64):
        super().__init__()
        self.body = Sequential(
            Linear(n_in, width), ReLU(), Dropout(0.1),
            Linear(width, width), ReLU(),
            Linear(width, 1),
        )

    def forward(self, x):
        return self.body(x)


def read(path):
    df = pd.read_csv(path)
    target = np.log1p(df.pop("SalePrice").to_numpy(dtype=np.float32))
    df = pd.get_dummies(df, dummy_na=True).fillna(0.0).astype(np.float32)
    values = (df - df.mean()) / df.std().replace(0, 1)
    return torch.from_numpy(values.to_numpy()), torch.from_numpy(target).unsqueeze(1)


def rmse(net, loader):
    net.eval()
    sq, n = 0.0, 0
    with torch.no_grad():
        for x, y in loader:
            sq += ((net(x) - y) ** 2).sum().item()
            n += len(y)
    return (sq / n) ** 0.5


@click.command()
@click.argument("csv", type=click.Path(exists=True))
@click.option("--lr", default=1e-3, show_default=True)
@click.option("--weight-decay", default=2.0, show_default=True)
@click.option("--epochs", default=200, show_default=True)
@click.option("--batch-size", default=32, show_default=True)
@click.option("--patience", default=15, show_default=True)
@click.option("--seed", default=0, show_default=True)
def main(csv, lr, weight_decay, epochs, batch_size, patience, seed):
    x, y = read(csv)
    net = PriceRegressor(x.shape[1])
    torch.manual_seed(seed)
    order = torch.randperm(len(x))
    held, rest = order[: len(x) // 5], order[len(x) // 5:]
    train_loader = DataLoader(TensorDataset(x[rest], y[rest]), batch_size, shuffle=True)
    val_loader = DataLoader(TensorDataset(x[held], y[held]), 256)

    params = net.parameters()
    optimiser = Adam(params, lr=lr, weight_decay=weight_decay)
    criterion = MSELoss()

    best, waited = float("inf"), 0
    for epoch in range(epochs):
        net.train()
        for xb, yb in train_loader:
            optimiser.zero_grad()
            loss = criterion(net(xb), yb)
            loss.backward()
            clip_grad_norm_(params, 1.0)
            optimiser.step()
        score = rmse(net, val_loader)
        click.echo(f"{epoch:4d} rmse(log) {score:.4f}")
        if score < best:
            best, waited = score, 0
            torch.save(net.state_dict(), "prices.pt")
        else:
            waited += 1
            if waited >= patience:
                break
    click.echo(f"best {best:.4f}")


if __name__ == "__main__":
    main()
