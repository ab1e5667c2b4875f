import json

import torch
from torch.optim.lr_scheduler import MultiStepLR
from torch.utils.data import DataLoader

from cells import CellImages
from detector import GridDetector, detection_loss

cfg = {
    "lr": 0.01,
    "momentum": 0.9,
    "epochs": 24,
    "milestones": [30, 40],
    "batch_size": 24,
    "max_grad_norm": 10.0,
}


def move(target, device):
    return {k: v.to(device) for k, v in target.items()}


def train(cfg, device):
    torch.manual_seed(31)
    net = GridDetector().to(device)
    loader = DataLoader(CellImages("train"), cfg["batch_size"], shuffle=True, num_workers=4, drop_last=True)
    val_loader = DataLoader(CellImages("val"), cfg["batch_size"], num_workers=4)
    optimizer = torch.optim.SGD(net.parameters(), lr=cfg["lr"], momentum=cfg["momentum"], nesterov=True)
    lr_schedule = MultiStepLR(optimizer, milestones=cfg["milestones"], gamma=0.1)

    for epoch in range(cfg["epochs"]):
        net.train()
        for image, target in loader:
            image, target = image.to(device), move(target, device)
            loss = detection_loss(net(image), target)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            torch.nn.utils.clip_grad_norm_(net.parameters(), cfg["max_grad_norm"])
        lr_schedule.step()

        net.eval()
        tp = fp = fn = 0
        with torch.no_grad():
            for image, target in val_loader:
                logit, _ = net(image.to(device))
                hit = logit.data.cpu() > 0
                truth = target["obj"].bool()
                tp += (hit & truth).sum().item()
                fp += (hit & ~truth).sum().item()
                fn += (~hit & truth).sum().item()
        f1 = 2 * tp / max(1, 2 * tp + fp + fn)
        print(json.dumps({"epoch": epoch, "loss": loss.item(), "f1": round(f1, 4)}))
    torch.save(net.state_dict(), "detector.pt")


if __name__ == "__main__":
    train(cfg, "cuda" if torch.cuda.is_available() else "cpu")
