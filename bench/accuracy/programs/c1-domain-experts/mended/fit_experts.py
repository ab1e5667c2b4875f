import argparse

import torch
from torch import nn, optim

from data import get_loader
from experts import MixtureOfExperts

SHOPS = ["books", "garden", "toys", "kitchen"]


class Fitter:
    def __init__(self, net: nn.Module, lr: float, patience: int):
        self.net = net
        self.criterion = nn.CrossEntropyLoss()
        self.optimizer = optim.SGD(net.parameters(), lr=lr, momentum=0.9, nesterov=True)
        self.patience = patience

    def fit(self, train_loader, valid_loader, max_epochs: int) -> float:
        best, since = 0.0, 0
        for epoch in range(max_epochs):
            self._train(train_loader)
            acc = self._evaluate(valid_loader)
            print(f"{epoch:3d} {acc:.4f}")
            if acc > best:
                best, since = acc, 0
                torch.save(self.net.state_dict(), "experts.pt")
            else:
                since += 1
            if since >= self.patience:
                break
        return best

    def _train(self, loader):
        self.net.train()
        for x, category in loader:
            self.optimizer.zero_grad()
            loss = self.criterion(self.net(x), category)
            loss.backward()
            self.optimizer.step()

    @torch.inference_mode()
    def _evaluate(self, loader) -> float:
        self.net.eval()
        right = sum((self.net(x).argmax(1) == category).sum().item() for x, category in loader)
        return right / len(loader.dataset)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--features", type=int, default=64)
    parser.add_argument("--categories", type=int, default=30)
    parser.add_argument("--lr", type=float, default=0.03)
    parser.add_argument("--max-epochs", type=int, default=100)
    ns = parser.parse_args()
    torch.manual_seed(21)
    net = MixtureOfExperts(SHOPS, ns.features, ns.categories)
    fitter = Fitter(net, ns.lr, patience=6)
    print(fitter.fit(get_loader("train", 128, True), get_loader("valid", 512, False), ns.max_epochs))


if __name__ == "__main__":
    main()
