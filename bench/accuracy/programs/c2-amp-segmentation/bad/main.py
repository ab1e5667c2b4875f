import yaml
import torch
from torch import nn
from torch.utils.data import DataLoader

from roads import RoadTiles
from seg import UNet, evaluate, train_one_epoch


def main():
    with open("config.yml") as f:
        cfg = yaml.safe_load(f)
    torch.manual_seed(cfg["seed"])
    device = torch.device("cuda")

    train_loader = DataLoader(RoadTiles(cfg["train_dir"], augment=True), cfg["batch"], shuffle=True, num_workers=8)
    val_loader = DataLoader(RoadTiles(cfg["val_dir"]), cfg["batch"], num_workers=8)

    model = UNet().to(device)
    optimizer = torch.optim.AdamW(model.parameters(), lr=float(cfg["lr"]))
    scaler = torch.cuda.amp.GradScaler()
    criterion = nn.CrossEntropyLoss()
    best = 0.0
    for epoch in range(cfg["epochs"]):
        loss = train_one_epoch(model, criterion, optimizer, scaler, train_loader, device)
        iou = evaluate(model, val_loader, device)
        print(epoch, f"{loss:.4f}", f"IoU {iou:.4f}")
        if iou > best:
            best = iou
            torch.save(model.state_dict(), "unet_best.pth")


if __name__ == "__main__":
    main()
