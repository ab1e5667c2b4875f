import copy

import torch


class Trainer:
    """Fits a classifier and remembers the weights of the best epoch."""

    def __init__(self, net, optimizer, criterion, device, epochs):
        self.net = net
        self.optimizer = optimizer
        self.criterion = criterion
        self.device = device
        self.epochs = epochs
        self.best_acc = 0.0
        self.best_weights = None

    def train_one_epoch(self, loader):
        running, seen = 0.0, 0
        for images, labels in loader:
            images = images.to(self.device, non_blocking=True)
            labels = labels.to(self.device, non_blocking=True)
            self.optimizer.zero_grad(set_to_none=True)
            loss = self.criterion(self.net(images), labels)
            loss.backward()
            self.optimizer.step()
            running += loss.item() * labels.size(0)
            seen += labels.size(0)
        return running / seen

    @torch.no_grad()
    def evaluate(self, loader):
        self.net.eval()
        hits, seen = 0, 0
        for images, labels in loader:
            images, labels = images.to(self.device), labels.to(self.device)
            hits += (self.net(images).argmax(1) == labels).sum().item()
            seen += labels.size(0)
        return hits / seen

    def fit(self, train_loader, val_loader):
        for epoch in range(self.epochs):
            self.net.train()
            train_loss = self.train_one_epoch(train_loader)
            val_acc = self.evaluate(val_loader)
            print(f"epoch {epoch:3d}  loss {train_loss:.4f}  val acc {val_acc:.3%}")
            if val_acc > self.best_acc:
                self.best_acc = val_acc
                self.best_weights = copy.deepcopy(self.net.state_dict())
        self.net.load_state_dict(self.best_weights)
        return self.best_acc
