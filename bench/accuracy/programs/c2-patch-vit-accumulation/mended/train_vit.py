import argparse
from contextlib import nullcontext

import torch
import torch.nn as nn
import torch.nn.functional as nnf
from torch.amp import GradScaler, autocast
from torch.utils.data import DataLoader
from torchvision import datasets, transforms


def parse():
    parser = argparse.ArgumentParser()
    parser.add_argument("root")
    parser.add_argument("--grad-accum", type=int, default=8)
    parser.add_argument("--micro-batch", type=int, default=32)
    parser.add_argument("--lr", type=float, default=1e-3)
    parser.add_argument("--epochs", type=int, default=100)
    parser.add_argument("--no-amp", action="store_true")
    return parser.parse_args()


class ViT(nn.Module):
    def __init__(self, size=64, patch=8, dim=192, depth=6, heads=3, classes=200):
        super().__init__()
        self.patchify = nn.Conv2d(3, dim, patch, patch)
        self.cls = nn.Parameter(torch.zeros(1, 1, dim))
        self.pos = nn.Parameter(torch.randn(1, (size // patch) ** 2 + 1, dim) * 0.02)
        self.blocks = nn.ModuleList([
            nn.TransformerEncoderLayer(dim, heads, dim * 4, dropout=0.1, batch_first=True, norm_first=True)
            for _ in range(depth)
        ])
        self.norm = nn.LayerNorm(dim)
        self.fc = nn.Linear(dim, classes)

    def forward(self, img):
        tok = self.patchify(img).flatten(2).transpose(1, 2)
        tok = torch.cat([self.cls.expand(tok.size(0), -1, -1), tok], dim=1) + self.pos
        for blk in self.blocks:
            tok = blk(tok)
        return self.fc(self.norm(tok[:, 0]))


def make_loaders(args):
    norm = transforms.Normalize([0.480, 0.448, 0.397], [0.276, 0.269, 0.282])
    tf_train = transforms.Compose([transforms.RandomResizedCrop(64), transforms.RandomHorizontalFlip(),
                                   transforms.ToTensor(), norm])
    tf_eval = transforms.Compose([transforms.ToTensor(), norm])
    train = datasets.ImageFolder(f"{args.root}/train", tf_train)
    val = datasets.ImageFolder(f"{args.root}/val", tf_eval)
    train_dl = DataLoader(train, args.micro_batch, shuffle=True, num_workers=8, drop_last=True)
    val_dl = DataLoader(val, 256, num_workers=8)
    return train_dl, val_dl


def train_one_epoch(net, loader, opt, scaler, args, amp):
    net.train()
    running = 0.0
    opt.zero_grad(set_to_none=True)
    for it, (img, lab) in enumerate(loader, start=1):
        img, lab = img.cuda(), lab.cuda()
        with amp:
            loss = nnf.cross_entropy(net(img), lab, label_smoothing=0.1) / args.grad_accum
        scaler.scale(loss).backward()
        if it % args.grad_accum == 0:
            scaler.unscale_(opt)
            nn.utils.clip_grad_norm_(net.parameters(), max_norm=1.0)
            scaler.step(opt)
            scaler.update()
            opt.zero_grad(set_to_none=True)
        running += loss.item() * args.grad_accum
    return running / len(loader)


@torch.inference_mode()
def top1(net, loader):
    net.eval()
    ok = n = 0
    for img, lab in loader:
        ok += (net(img.cuda()).argmax(1).cpu() == lab).sum().item()
        n += lab.numel()
    return ok / n


def main():
    args = parse()
    torch.manual_seed(2021)
    train_dl, val_dl = make_loaders(args)
    net = ViT().cuda()
    opt = torch.optim.AdamW(net.parameters(), lr=args.lr)
    scaler = GradScaler("cuda", enabled=not args.no_amp)
    amp = nullcontext() if args.no_amp else autocast("cuda")
    for ep in range(args.epochs):
        loss = train_one_epoch(net, train_dl, opt, scaler, args, amp)
        print(f"[{ep:03d}] loss={loss:.4f} top1={top1(net, val_dl):.4f}")
        torch.save({"epoch": ep, "net": net.state_dict(), "opt": opt.state_dict(), "scaler": scaler.state_dict()},
                   "vit_last.pt")


if __name__ == "__main__":
    main()
