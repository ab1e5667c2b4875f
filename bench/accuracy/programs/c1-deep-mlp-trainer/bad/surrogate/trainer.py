import torch
from torch import nn


class Trainer:
    def __init__(self, model, train_loader, valid_loader, lr=1e-3, device="cpu"):
        self.model = model.to(device)
        self.train_loader = train_loader
        self.valid_loader = valid_loader
        self.device = device
        self.criterion = nn.PoissonNLLLoss(log_input=True)
        self.optimizer = torch.optim.Adam(self.model.parameters(), lr=lr)
        self.scheduler = torch.optim.lr_scheduler.ReduceLROnPlateau(self.optimizer, factor=0.3, patience=4)
        self.best = float("inf")

    def _step(self, inputs, targets):
        outputs = self.model(inputs.to(self.device))
        return self.criterion(targets.to(self.device), outputs)

    def train_epoch(self):
        self.model.train()
        for inputs, targets in self.train_loader:
            self.optimizer.zero_grad()
            loss = self._step(inputs, targets)
            loss.backward()
            self.optimizer.step()

    @torch.no_grad()
    def validate(self):
        self.model.eval()
        losses = [self._step(x, y).item() for x, y in self.valid_loader]
        return sum(losses) / len(losses)

    def fit(self, epochs, path):
        for epoch in range(epochs):
            self.train_epoch()
            val = self.validate()
            self.scheduler.step(val)
            if val < self.best:
                self.best = val
                torch.save(self.model.state_dict(), path)
            print(f"[{epoch:03d}] valid {val:.5f} (best {self.best:.5f})")
