"""torchrun --nproc_per_node=4 train_ddp.py --data /data/coco_crops"""
import argparse
import os

import torch
import torch.distributed as dist
import torch.nn.functional as F
from torch.nn.parallel import DistributedDataParallel as DDP
from torch.utils.data import DataLoader
from torch.utils.data.distributed import DistributedSampler

from coco_crops import CropDataset
from heatmaps import HeatmapNet


def parse():
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", required=True)
    parser.add_argument("--epochs", type=int, default=60)
    parser.add_argument("--batch-size", type=int, default=2, help="pictures per process, they are large")
    parser.add_argument("--lr", type=float, default=3e-4)
    return parser.parse_args()


def train_one_epoch(model, loader, optimizer, device):
    model.train()
    total = 0.0
    for image, target in loader:
        image, target = image.to(device), target.to(device)
        optimizer.zero_grad(set_to_none=True)
        logits = model(image)
        loss = F.binary_cross_entropy_with_logits(logits, target)
        loss.backward()
        optimizer.step()
        total += loss.item()
    return total / len(loader)


def main():
    args = parse()
    dist.init_process_group("nccl")
    rank = int(os.environ["LOCAL_RANK"])
    device = torch.device("cuda", rank)
    torch.cuda.set_device(device)
    torch.manual_seed(1)

    dataset = CropDataset(args.data)
    sampler = DistributedSampler(dataset, shuffle=True)
    train_loader = DataLoader(dataset, batch_size=args.batch_size, sampler=sampler, num_workers=4)
    model = DDP(HeatmapNet().to(device), device_ids=[rank])
    optimizer = torch.optim.Adam(model.parameters(), lr=args.lr)

    for epoch in range(args.epochs):
        sampler.set_epoch(epoch)
        loss = train_one_epoch(model, train_loader, optimizer, device)
        if dist.get_rank() == 0:
            print(f"epoch {epoch}: {loss:.5f}")
            torch.save(model.module.state_dict(), "heatmaps.pt")
    dist.destroy_process_group()


if __name__ == "__main__":
    main()
