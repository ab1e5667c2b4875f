import os

import torch
import torch.distributed as dist
from torch import nn
from torch.nn.parallel import DistributedDataParallel
from torch.optim.lr_scheduler import CosineAnnealingLR
from torch.utils.data import DataLoader, DistributedSampler
from torchvision.datasets import STL10
from torchvision.models import resnet18

from contrast import TwoViews, nt_xent, pretrain_transform


class SimCLR(nn.Module):
    def __init__(self, dim=128):
        super().__init__()
        self.backbone = resnet18()
        self.backbone.fc = nn.Identity()
        self.projector = nn.Sequential(nn.Linear(512, 512), nn.ReLU(), nn.Linear(512, dim))

    def forward(self, x):
        return self.projector(self.backbone(x))


class Pretrainer:
    def __init__(self, rank, epochs=100, batch=128):
        self.rank, self.epochs = rank, epochs
        data = STL10("data", split="unlabeled", transform=TwoViews(pretrain_transform(96)))
        self.sampler = DistributedSampler(data)
        self.loader = DataLoader(data, batch, sampler=self.sampler, num_workers=8, drop_last=True)
        self.model = DistributedDataParallel(SimCLR().cuda(rank), device_ids=[rank])
        self.optim = torch.optim.SGD(self.model.parameters(), lr=0.3, momentum=0.9, nesterov=True)
        self.sched = CosineAnnealingLR(self.optim, T_max=epochs * len(self.loader))
        self.scaler = torch.amp.GradScaler("cuda")

    def train_epoch(self):
        self.model.train()
        for (a, b), _ in self.loader:
            a, b = a.cuda(self.rank, non_blocking=True), b.cuda(self.rank, non_blocking=True)
            self.optim.zero_grad()
            with torch.autocast("cuda"):
                za, zb = self.model(torch.cat([a, b])).chunk(2)
                loss = nt_xent(za.float(), zb.float())
            self.scaler.scale(loss).backward()
            self.scaler.step(self.optim)
            self.scaler.update()
            self.sched.step()
        return loss.item()

    def run(self):
        for epoch in range(self.epochs):
            self.sampler.set_epoch(epoch)
            loss = self.train_epoch()
            if self.rank == 0:
                print(f"epoch {epoch} loss {loss:.4f}")
                torch.save(self.model.module.backbone.state_dict(), "simclr_backbone.pt")


def main():
    dist.init_process_group("nccl")
    rank = int(os.environ["LOCAL_RANK"])
    torch.cuda.set_device(rank)
    torch.manual_seed(40 + rank)
    try:
        Pretrainer(rank).run()
    finally:
        dist.destroy_process_group()


if __name__ == "__main__":
    main()
