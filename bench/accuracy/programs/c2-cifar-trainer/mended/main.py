import argparse

import torch
from torch import nn, optim
from torch.utils.data import DataLoader
from torchvision import datasets, transforms as T

from model import TinyResNet
from trainer import Trainer

MEAN, STD = (0.4914, 0.4822, 0.4465), (0.2470, 0.2435, 0.2616)


def loaders(root, batch_size):
    train_tf = T.Compose([T.RandomCrop(32, padding=4), T.RandomHorizontalFlip(), T.ToTensor(), T.Normalize(MEAN, STD)])
    val_tf = T.Compose([T.ToTensor(), T.Normalize(MEAN, STD)])
    train = datasets.CIFAR10(root, train=True, download=True, transform=train_tf)
    val = datasets.CIFAR10(root, train=False, transform=val_tf)
    return (
        DataLoader(train, batch_size=batch_size, shuffle=True, num_workers=4, pin_memory=True),
        DataLoader(val, batch_size=256, num_workers=4, pin_memory=True),
    )


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("--data", default="./data")
    ap.add_argument("--epochs", type=int, default=60)
    ap.add_argument("--batch-size", type=int, default=32)
    ap.add_argument("--lr", type=float, default=0.05)
    args = ap.parse_args()

    torch.manual_seed(17)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    net = TinyResNet().to(device)
    opt = optim.SGD(net.parameters(), lr=args.lr, momentum=0.9, nesterov=True)
    train_loader, val_loader = loaders(args.data, args.batch_size)
    trainer = Trainer(net, opt, nn.CrossEntropyLoss(), device, args.epochs)
    best = trainer.fit(train_loader, val_loader)
    torch.save(net.state_dict(), "cifar_best.pt")
    print("best accuracy", best)


if __name__ == "__main__":
    main()
