"""Beat classification on single-lead ECG; may be stopped and resumed at any epoch."""
import copy
import os

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn
from torch.optim import AdamW
from torch.utils.data import DataLoader, TensorDataset

CKPT = "ecg_last.ckpt"
MAX_EPOCHS = 80
PATIENCE = 10


class BeatNet(nn.Module):
    def __init__(self, n_classes=5):
        super().__init__()
        self.conv1 = nn.Conv1d(1, 32, 7, padding=3)
        self.conv2 = nn.Conv1d(32, 64, 5, padding=2)
        self.conv3 = nn.Conv1d(64, 64, 5, padding=2)
        self.drop = nn.Dropout(0.25)
        self.fc = nn.Linear(64, n_classes)

    def forward(self, x):
        x = F.max_pool1d(F.relu(self.conv1(x)), 2)
        x = F.max_pool1d(F.relu(self.conv2(x)), 2)
        x = F.relu(self.conv3(x)).mean(dim=2)
        return self.fc(self.drop(x))


def dataset(split):
    arr = np.load(f"mitbih_{split}.npz")
    return TensorDataset(torch.from_numpy(arr["beats"]).float().unsqueeze(1), torch.from_numpy(arr["labels"]).long())


def save_checkpoint(epoch, net, opt):
    torch.save({"epoch": epoch, "net": net.state_dict(), "opt": opt.state_dict()}, CKPT)


def load_checkpoint(net, opt, device):
    if not os.path.exists(CKPT):
        return 0
    ckpt = torch.load(CKPT, map_location=device, weights_only=True)
    net.load_state_dict(ckpt["net"])
    opt.load_state_dict(ckpt["opt"])
    return ckpt["epoch"] + 1


def main():
    torch.manual_seed(360)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    train_dl = DataLoader(dataset("train"), batch_size=32, shuffle=True)
    val_dl = DataLoader(dataset("val"), batch_size=256)
    net = BeatNet().to(device)
    opt = AdamW(net.parameters(), lr=5e-4)
    first = load_checkpoint(net, opt, device)

    best_loss, best_params, stale = float("inf"), None, 0
    for epoch in range(first, MAX_EPOCHS):
        net.train()
        for beats, labels in train_dl:
            opt.zero_grad()
            loss = F.cross_entropy(net(beats.to(device)), labels.to(device))
            loss.backward()
            opt.step()

        val_loss = 0.0
        net.eval()
        with torch.no_grad():
            for beats, labels in val_dl:
                val_loss += F.cross_entropy(net(beats.to(device)), labels.to(device), reduction="sum").item()
        val_loss /= len(val_dl.dataset)
        save_checkpoint(epoch, net, opt)
        print(f"epoch {epoch}: {val_loss:.4f}")

        if val_loss < best_loss:
            best_loss, best_params, stale = val_loss, copy.deepcopy(net.state_dict()), 0
        else:
            stale += 1
            if stale == PATIENCE:
                break

    net.load_state_dict(best_params)
    torch.save(net.state_dict(), "ecg_best.pt")


if __name__ == "__main__":
    main()
