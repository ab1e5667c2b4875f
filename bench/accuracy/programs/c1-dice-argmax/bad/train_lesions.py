import yaml
import torch
from torch.utils.data import DataLoader

from lesions import LesionDataset
from losses import dice_loss, pixel_accuracy
from net import DilatedNet

with open("lesions.yaml") as f:
    cfg = yaml.safe_load(f)

torch.manual_seed(cfg["seed"])
device = cfg["device"]
n_classes = cfg["model"]["classes"]
net = DilatedNet(n_classes, cfg["model"]["base"]).to(device)
opt = torch.optim.Adam(net.parameters(), lr=cfg["optim"]["lr"])
train_dl = DataLoader(LesionDataset(cfg["data"]["train"]), cfg["data"]["bs"], shuffle=True, num_workers=2)
val_dl = DataLoader(LesionDataset(cfg["data"]["val"]), cfg["data"]["bs"], num_workers=2)

for ep in range(cfg["optim"]["epochs"]):
    net.train()
    running = 0.0
    for img, mask in train_dl:
        img, mask = img.to(device), mask.to(device)
        loss = dice_loss(net(img), mask, n_classes)
        loss.requires_grad_(True)
        opt.zero_grad()
        loss.backward()
        opt.step()
        running += loss.item()

    net.eval()
    acc = []
    with torch.no_grad():
        for img, mask in val_dl:
            acc.append(pixel_accuracy(net(img.to(device)), mask.to(device)))
    print(f"{ep}: dice loss {running / len(train_dl):.4f}, accuracy {sum(acc) / len(acc):.4f}")

torch.save(net.state_dict(), cfg["out"])
