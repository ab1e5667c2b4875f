import argparse

import torch
import torch.nn as nn
from torch.utils.data import DataLoader

from boxes_data import BoxesDataset  # images, cell labels (B, N), cell boxes (B, N, 4)
from detector import TinyDetector


class DetectionLoss(nn.Module):
    def __init__(self, box_weight):
        super().__init__()
        self.box_weight = box_weight
        self.cls = nn.CrossEntropyLoss()
        self.reg = nn.SmoothL1Loss(reduction="none")

    def forward(self, obj, box, cell_label, cell_box):
        cls = self.cls(obj.flatten(0, 1), cell_label.flatten())
        inside = cell_label.unsqueeze(-1).float()
        reg = (self.reg(box, cell_box) * inside).sum() / inside.sum().clamp(min=1)
        return cls + self.box_weight * reg


def get_args():
    p = argparse.ArgumentParser()
    p.add_argument("--data", default="boxes")
    p.add_argument("--epochs", default=40, type=int)
    p.add_argument("--batch-size", default=32, type=int)
    p.add_argument("--lr", default=0.01, type=float)
    p.add_argument("--box-weight", default=2.0, type=float)
    return p.parse_args()


def main():
    args = get_args()
    torch.manual_seed(8)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    loader = DataLoader(BoxesDataset(args.data), args.batch_size, shuffle=True, num_workers=4, drop_last=True)
    net = TinyDetector().to(device)
    criterion = DetectionLoss(args.box_weight)
    optimizer = torch.optim.SGD(net.parameters(), lr=args.lr, momentum=0.9)
    scheduler = torch.optim.lr_scheduler.MultiStepLR(optimizer, milestones=[25, 35], gamma=0.1)

    for epoch in range(args.epochs):
        net.train()
        meter = 0.0
        for images, labels, boxes in loader:
            images, labels, boxes = images.to(device), labels.to(device), boxes.to(device)
            obj, box = net(images)
            loss = criterion(obj, box, labels, boxes)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            meter += loss.item()
        scheduler.step()
        print(f"epoch {epoch:02d} loss {meter / len(loader):.4f} lr {scheduler.get_last_lr()[0]:.4f}")
    torch.save(net.state_dict(), "detector.pth")


if __name__ == "__main__":
    main()
