import argparse

import torch
from torch.utils.data import DataLoader, WeightedRandomSampler

from pairs import SignaturePairs
from signatures import ContrastiveLoss, SiameseNet


def balanced(pairs):
    forged = torch.tensor(pairs.labels)
    weight = torch.where(forged == 1, 1.0 / forged.sum(), 1.0 / (forged == 0).sum())
    return WeightedRandomSampler(weight, num_samples=len(pairs))


def run(args):
    torch.manual_seed(args.seed)
    dev = torch.device(args.device)
    train_set, val_set = SignaturePairs(args.train), SignaturePairs(args.val)
    train_dl = DataLoader(train_set, args.bs, shuffle=True, sampler=balanced(train_set))
    val_dl = DataLoader(val_set, args.bs, drop_last=True)
    siamese = SiameseNet().to(dev)
    contrastive = ContrastiveLoss()
    adam = torch.optim.Adam(siamese.parameters(), lr=args.lr)
    best_eer = 1.0

    for ep in range(args.epochs):
        siamese.train()
        for a, b, forged in train_dl:
            adam.zero_grad()
            d = siamese(a.to(dev), b.to(dev))
            contrastive(d, forged.float().to(dev)).backward()
            adam.step()

        siamese.eval()
        dist, lab = [], []
        with torch.no_grad():
            for a, b, forged in val_dl:
                dist.append(siamese(a.to(dev), b.to(dev)).cpu())
                lab.append(forged.bool())
        dist, lab = torch.cat(dist), torch.cat(lab)
        eer = min(
            max((dist[lab] < t).float().mean().item(), (dist[~lab] >= t).float().mean().item())
            for t in torch.linspace(0, 2, 81)
        )
        print(f"epoch {ep}: EER {eer:.3f}")
        if eer < best_eer:
            best_eer = eer
            torch.save(siamese, args.out)


if __name__ == "__main__":
    cli = argparse.ArgumentParser()
    cli.add_argument("--train", default="pairs_train.csv")
    cli.add_argument("--val", default="pairs_val.csv")
    cli.add_argument("--out", default="siamese.pt")
    cli.add_argument("--bs", default=32, type=int)
    cli.add_argument("--lr", default=3e-4, type=float)
    cli.add_argument("--epochs", default=30, type=int)
    cli.add_argument("--device", default="cuda")
    cli.add_argument("--seed", default=8, type=int)
    run(cli.parse_args())
