"""torchrun --nproc_per_node=4 train_ddp.py"""
import os

import torch
import torch.distributed as dist
from torch import nn, optim
from torch.nn.parallel import DistributedDataParallel as DDP
from torch.utils.data import DataLoader

from audio import AudioTagger, ClipDataset

EPOCHS = 30
PER_GPU = 48


def main():
    dist.init_process_group("nccl")
    rank = int(os.environ["LOCAL_RANK"])
    torch.cuda.set_device(rank)
    torch.manual_seed(0)

    train_set = ClipDataset("lists/train.csv")
    train_loader = DataLoader(train_set, batch_size=PER_GPU, shuffle=True, num_workers=6)

    model = AudioTagger()
    model = DDP(model)
    model.to(rank)
    optimizer = optim.SGD(model.parameters(), lr=0.02, momentum=0.9)
    scheduler = optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=EPOCHS)
    criterion = nn.BCEWithLogitsLoss()

    for epoch in range(EPOCHS):
        model.train()
        running = torch.zeros(1, device=rank)
        for mel, target in train_loader:
            mel, target = mel.to(rank, non_blocking=True), target.to(rank, non_blocking=True)
            optimizer.zero_grad()
            loss = criterion(model(mel), target)
            loss.backward()
            optimizer.step()
            running += loss.detach()
        scheduler.step()

        dist.all_reduce(running)
        if rank == 0:
            print(f"epoch {epoch}: {running.item() / len(train_loader) / dist.get_world_size():.4f}")
        torch.save(model.module.state_dict(), f"tagger_{epoch}.pt")

    dist.destroy_process_group()


if __name__ == "__main__":
    main()
