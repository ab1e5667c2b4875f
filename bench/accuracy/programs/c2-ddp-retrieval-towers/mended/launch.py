import argparse
import os

import torch
import torch.distributed as dist
from torch.nn.parallel import DistributedDataParallel
from torch.utils.data import DataLoader
from torch.utils.data.distributed import DistributedSampler

from clicks import ClickPairs, collate
from loop import train_epoch
from towers import TwoTower


def get_args():
    ap = argparse.ArgumentParser()
    ap.add_argument("--clicks", required=True)
    ap.add_argument("--epochs", type=int, default=5)
    ap.add_argument("--batch", type=int, default=512)
    ap.add_argument("--lr", type=float, default=1e-3)
    return ap.parse_args()


def setup():
    dist.init_process_group(backend="nccl")
    local = int(os.environ["LOCAL_RANK"])
    torch.cuda.set_device(local)
    return local, torch.device("cuda", local)


def main():
    args = get_args()
    local, device = setup()
    torch.manual_seed(1 + dist.get_rank())

    pairs = ClickPairs(args.clicks)
    sampler = DistributedSampler(pairs, shuffle=True, drop_last=True)
    loader = DataLoader(pairs, args.batch, sampler=sampler, collate_fn=collate, num_workers=4)
    net = TwoTower(pairs.n_query, pairs.n_item).to(device)
    net = DistributedDataParallel(net, device_ids=[local])
    optimizer = torch.optim.Adam(net.parameters(), lr=args.lr)

    main_rank = dist.get_rank() == 0
    for epoch in range(args.epochs):
        sampler.set_epoch(epoch)
        mean_loss = train_epoch(net, loader, optimizer, device, log=print if main_rank else None)
        if main_rank:
            print(f"epoch {epoch} loss {mean_loss:.4f}")
            torch.save(net.module.state_dict(), "towers.pt")
    dist.destroy_process_group()


if __name__ == "__main__":
    main()
