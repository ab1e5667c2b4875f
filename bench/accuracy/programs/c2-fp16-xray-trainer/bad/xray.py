"""Multi-label findings on chest radiographs."""
from dataclasses import dataclass, field

import torch
from torch import nn
from torch.utils.data import DataLoader


@dataclass
class TrainConfig:
    epochs: int = 15
    batch_size: int = 32
    lr: float = 2e-4
    findings: int = 14
    amp: bool = True
    device: str = field(default_factory=lambda: "cuda" if torch.cuda.is_available() else "cpu")


class XRayNet(nn.Module):
    def __init__(self, findings):
        super().__init__()
        widths = [1, 32, 64, 128, 256]
        stages = []
        for cin, cout in zip(widths, widths[1:]):
            stages += [
                nn.Conv2d(cin, cout, kernel_size=3, stride=2, padding=1, bias=False),
                nn.BatchNorm2d(cout),
                nn.GELU(),
            ]
        self.features = nn.Sequential(*stages)
        self.gap = nn.AdaptiveAvgPool2d(1)
        self.dropout = nn.Dropout(0.4)
        self.classifier = nn.Linear(widths[-1], findings)

    def forward(self, x):
        h = self.gap(self.features(x)).flatten(1)
        return self.classifier(self.dropout(h))


class Trainer:
    def __init__(self, cfg, train_set, val_set):
        self.cfg = cfg
        self.model = XRayNet(cfg.findings).to(cfg.device)
        self.criterion = nn.BCEWithLogitsLoss()
        self.optimizer = torch.optim.AdamW(self.model.parameters(), lr=cfg.lr)
        self.scaler = torch.amp.GradScaler(cfg.device, enabled=cfg.amp)
        self.train_loader = DataLoader(train_set, cfg.batch_size, shuffle=True, num_workers=4)
        self.val_loader = DataLoader(val_set, cfg.batch_size, num_workers=4)
        self.history = []

    def _forward(self, batch):
        pixels = batch["image"].to(self.cfg.device)
        target = batch["findings"].to(self.cfg.device).float()
        with torch.autocast(self.cfg.device, dtype=torch.float16, enabled=self.cfg.amp):
            logits = self.model(pixels)
            return logits, self.criterion(logits, target), target

    def _train_epoch(self):
        self.model.train()
        total = 0.0
        for batch in self.train_loader:
            self.optimizer.zero_grad(set_to_none=True)
            _, loss, _ = self._forward(batch)
            self.scaler.scale(loss).backward()
            self.optimizer.step()
            total += loss.item()
        return total / len(self.train_loader)

    @torch.no_grad()
    def _validate(self):
        losses, hits, n = [], 0, 0
        for batch in self.val_loader:
            logits, loss, target = self._forward(batch)
            losses.append(loss.item())
            hits += ((logits > 0) == target.bool()).sum().item()
            n += target.numel()
        return sum(losses) / len(losses), hits / n

    def run(self):
        best = float("inf")
        for epoch in range(self.cfg.epochs):
            train_loss = self._train_epoch()
            val_loss, val_acc = self._validate()
            self.history.append((train_loss, val_loss, val_acc))
            print(f"epoch={epoch} train={train_loss:.4f} val={val_loss:.4f} acc={val_acc:.4f}")
            if val_loss < best:
                best = val_loss
                torch.save(self.model.state_dict(), "xray.pt")


if __name__ == "__main__":
    from xray_data import ChestFolder

    torch.manual_seed(42)
    Trainer(TrainConfig(), ChestFolder("train"), ChestFolder("val")).run()
