import torch
import torch.nn.functional as F
from torch.optim.lr_scheduler import StepLR

from .nets import ConvAE


class AETrainer:
    """Learns to rebuild flawless fabric; flaws show as large errors of reconstruction."""

    def __init__(self, lr=1e-3, epochs=50, device="cuda"):
        self.device = torch.device(device)
        self.epochs = epochs
        self.ae = ConvAE().to(self.device)
        self.opt = torch.optim.Adam(self.ae.parameters(), lr=lr)
        self.sched = StepLR(self.opt, step_size=20, gamma=0.3)
        self.scaler = torch.amp.GradScaler("cuda")

    def step(self, img):
        img = img.to(self.device)
        self.opt.zero_grad()
        with torch.autocast("cuda", dtype=torch.float16):
            loss = F.l1_loss(self.ae(img), img)
        self.scaler.scale(loss).backward()
        self.scaler.step(self.opt)
        self.scaler.update()
        return loss.item()

    def fit(self, loader):
        for epoch in range(self.epochs):
            self.ae.train()
            total = 0.0
            for img, _ in loader:
                total += self.step(img)
            self.sched.step()
            print(f"{epoch:3d} {total / len(loader):.5f}")

    @torch.inference_mode()
    def scores(self, loader):
        self.ae.eval()
        out = []
        for img, flaw in loader:
            img = img.to(self.device)
            err = (self.ae(img) - img).abs().amax(dim=(1, 2, 3))
            out += list(zip(err.tolist(), flaw.tolist()))
        return out
