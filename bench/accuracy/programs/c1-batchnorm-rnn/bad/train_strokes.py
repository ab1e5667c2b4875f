import copy

import numpy as np
import torch
import torch.nn.functional as F
from torch.utils.data import DataLoader, TensorDataset, random_split

from strokes import StrokeClassifier

LETTERS = 20
EPOCHS = 60
CONFIG = dict(batch_size=64, lr=1e-3, n_hidden=160)


def load_strokes(path="character_trajectories.npz"):
    z = np.load(path)
    full = TensorDataset(torch.from_numpy(z["x"]).float(), torch.from_numpy(z["y"]).long())
    n = int(0.8 * len(full))
    return random_split(full, [n, len(full) - n], generator=torch.Generator().manual_seed(0))


def fit_epoch(model, loader, optimiser):
    model.train()
    total = 0.0
    for strokes, letter in loader:
        loss = F.cross_entropy(model(strokes), letter)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        total += loss.item()
    return total / len(loader)


def evaluate(model, loader):
    model.eval()
    with torch.no_grad():
        hits = [(model(s).argmax(1) == y).float() for s, y in loader]
    return torch.cat(hits).mean().item()


def main():
    torch.manual_seed(0)
    train, test = load_strokes()
    train_loader = DataLoader(train, CONFIG["batch_size"], shuffle=True)
    test_loader = DataLoader(test, 256)
    model = StrokeClassifier(LETTERS, CONFIG["n_hidden"])
    optimiser = torch.optim.Adam(model.parameters(), lr=CONFIG["lr"])
    best, weights = 0.0, None
    for epoch in range(EPOCHS):
        loss = fit_epoch(model, train_loader, optimiser)
        acc = evaluate(model, test_loader)
        if acc > best:
            best, weights = acc, copy.deepcopy(model.state_dict())
        print(f"{epoch:2d} loss {loss:.4f} acc {acc:.4f}")
    torch.save(weights, "strokes.pt")


if __name__ == "__main__":
    main()
