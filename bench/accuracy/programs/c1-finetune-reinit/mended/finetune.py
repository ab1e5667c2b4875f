import argparse

import torch
import torch.nn as nn
from torch.utils.data import DataLoader
from torchvision import transforms as T
from torchvision.datasets import ImageFolder

from encoder import Classifier, Encoder, init_weights


def parse_args():
    ap = argparse.ArgumentParser(description="Linear probe on a frozen encoder")
    ap.add_argument("--data", default="data/plants")
    ap.add_argument("--ckpt", default="simclr_encoder.pt")
    ap.add_argument("--epochs", type=int, default=20)
    ap.add_argument("--bs", type=int, default=64)
    ap.add_argument("--lr", type=float, default=0.05)
    ap.add_argument("--classes", type=int, default=38)
    return ap.parse_args()


def build(args):
    encoder = Encoder()
    encoder.apply(init_weights)
    encoder.load_state_dict(torch.load(args.ckpt, map_location="cpu", weights_only=True))
    for p in encoder.parameters():
        p.requires_grad = False
    return Classifier(encoder, args.classes)


def loaders(args):
    norm = T.Normalize((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
    train_tf = T.Compose([T.RandomResizedCrop(96), T.RandomHorizontalFlip(), T.ToTensor(), norm])
    val_tf = T.Compose([T.Resize(110), T.CenterCrop(96), T.ToTensor(), norm])
    train = ImageFolder(f"{args.data}/train", train_tf)
    val = ImageFolder(f"{args.data}/val", val_tf)
    return (DataLoader(train, args.bs, shuffle=True, num_workers=4),
            DataLoader(val, args.bs, num_workers=4))


def validate(model, loader, device):
    model.eval()
    right = total = 0
    with torch.no_grad():
        for x, y in loader:
            pred = model(x.to(device)).argmax(dim=1).cpu()
            right += int((pred == y).sum())
            total += y.numel()
    return right / total


def main():
    args = parse_args()
    torch.manual_seed(1)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    train_loader, val_loader = loaders(args)
    model = build(args).to(device)
    trainable = [p for p in model.parameters() if p.requires_grad]
    optimizer = torch.optim.SGD(trainable, lr=args.lr, momentum=0.9, nesterov=True)
    loss_fn = nn.CrossEntropyLoss()

    for epoch in range(args.epochs):
        model.train()
        model.encoder.eval()  # frozen: its batch norms keep the pre-trained statistics
        for x, y in train_loader:
            x, y = x.to(device), y.to(device)
            loss = loss_fn(model(x), y)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        print(f"epoch {epoch}: val acc {validate(model, val_loader, device):.3f}")

    torch.save(model.state_dict(), "probe.pt")


if __name__ == "__main__":
    main()
