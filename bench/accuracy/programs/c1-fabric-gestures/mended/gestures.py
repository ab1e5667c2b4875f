import lightning as L
import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.utils.data import DataLoader, TensorDataset

CFG = {
    "classes": 12,
    "sensors": 9,
    "window": 64,
    "drop": 0.15,
    "optim": {"lr": 0.001},
    "epochs": 25,
    "batch": 96,
}


class GestureNet(nn.Module):
    def __init__(self, cfg):
        super().__init__()
        self.conv = nn.Sequential(
            nn.Conv1d(cfg["sensors"], 64, 5, padding=2, bias=False),
            nn.BatchNorm1d(64),
            nn.ReLU(),
            nn.MaxPool1d(2),
            nn.Conv1d(64, 128, 5, padding=2, bias=False),
            nn.BatchNorm1d(128),
            nn.ReLU(),
        )
        self.drop = nn.Dropout(cfg["drop"])
        self.fc = nn.Linear(128, cfg["classes"])

    def forward(self, x):
        h = self.conv(x).mean(dim=-1)
        return self.fc(self.drop(h))


def make_set(name):
    data = np.load(f"gestures_{name}.npz")
    x = torch.as_tensor(data["x"], dtype=torch.float32)
    return TensorDataset(x, torch.as_tensor(data["label"], dtype=torch.int64))


def train_epoch(fabric, model, optimizer, loader, n_classes):
    model.train()
    total = 0.0
    for x, label in loader:
        optimizer.zero_grad()
        logits = model(x)
        target = F.one_hot(label, n_classes).float()
        loss = F.cross_entropy(logits, target)
        fabric.backward(loss)
        optimizer.step()
        total += loss.item()
    return total / len(loader)


@torch.no_grad()
def evaluate(model, loader):
    model.eval()
    per_batch = [(model(x).argmax(-1) == label).float().mean() for x, label in loader]
    return torch.stack(per_batch).mean().item()


def main():
    fabric = L.Fabric(accelerator="auto", devices=1, precision="32-true")
    fabric.launch()
    fabric.seed_everything(77)

    model = GestureNet(CFG)
    optimizer = torch.optim.Adam(model.parameters(), **CFG["optim"])
    model, optimizer = fabric.setup(model, optimizer)
    train_loader, val_loader = fabric.setup_dataloaders(
        DataLoader(make_set("train"), CFG["batch"], shuffle=True, drop_last=True),
        DataLoader(make_set("val"), CFG["batch"]),
    )
    for epoch in range(CFG["epochs"]):
        loss = train_epoch(fabric, model, optimizer, train_loader, CFG["classes"])
        fabric.print(f"{epoch:02d} loss={loss:.4f} acc={evaluate(model, val_loader):.4f}")
    fabric.save("gestures.ckpt", {"model": model, "optimizer": optimizer})


if __name__ == "__main__":
    main()
