"""Credit default model: a residual MLP over numeric features of a loan application."""
import copy
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.utils.data import DataLoader, TensorDataset, random_split


@dataclass
class Config:
    n_features: int = 40
    width: int = 128
    depth: int = 4
    dropout: float = 0.2
    lr: float = 1e-3
    batch_size: int = 256
    epochs: int = 30
    patience: int = 5
    seed: int = 17
    data: str = "data/loans.npz"


class ResidualMLP(nn.Module):
    def __init__(self, cfg: Config):
        super().__init__()
        self.p = cfg.dropout
        self.stem = nn.Linear(cfg.n_features, cfg.width)
        self.norms = nn.ModuleList([nn.LayerNorm(cfg.width) for _ in range(cfg.depth)])
        self.blocks = nn.ModuleList([nn.Linear(cfg.width, cfg.width) for _ in range(cfg.depth)])
        self.head = nn.Linear(cfg.width, 1)

    def forward(self, x):
        h = F.gelu(self.stem(x))
        for norm, block in zip(self.norms, self.blocks):
            r = F.gelu(block(norm(h)))
            r = F.dropout(r, p=self.p, training=self.training)
            h = h + r
        return self.head(h).squeeze(-1)


def load(cfg):
    blob = np.load(cfg.data)
    x = torch.from_numpy(blob["x"]).float()
    y = torch.from_numpy(blob["y"]).float()
    x = (x - x.mean(0)) / (x.std(0) + 1e-6)
    full = TensorDataset(x, y)
    n_val = len(full) // 5
    return random_split(full, [len(full) - n_val, n_val])


@torch.no_grad()
def evaluate(model, loader, device):
    model.eval()
    hits, n = 0, 0
    for xb, yb in loader:
        logit = model(xb.to(device))
        hits += ((logit > 0).float().cpu() == yb).sum().item()
        n += len(yb)
    return hits / n


def main(cfg=Config()):
    torch.manual_seed(cfg.seed)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    train_set, val_set = load(cfg)
    train_loader = DataLoader(train_set, batch_size=cfg.batch_size, shuffle=True)
    val_loader = DataLoader(val_set, batch_size=1024)

    model = ResidualMLP(cfg).to(device)
    optimizer = torch.optim.Adam(model.parameters(), lr=cfg.lr)
    criterion = nn.BCEWithLogitsLoss()

    best_acc, best_state, waited = 0.0, None, 0
    for epoch in range(cfg.epochs):
        model.train()
        running = 0.0
        for xb, yb in train_loader:
            xb, yb = xb.to(device), yb.to(device)
            optimizer.zero_grad()
            loss = criterion(model(xb), yb)
            loss.backward()
            optimizer.step()
            running += loss.item() * len(yb)
        acc = evaluate(model, val_loader, device)
        print(f"epoch {epoch:02d}  loss {running / len(train_set):.4f}  val acc {acc:.4f}")
        if acc > best_acc:
            best_acc, waited = acc, 0
            best_state = copy.deepcopy(model.state_dict())
        else:
            waited += 1
            if waited >= cfg.patience:
                break
    torch.save(best_state, "default_risk.pt")


if __name__ == "__main__":
    main()
