import math

import torch
import torch.nn.functional as F
from torch.amp import GradScaler, autocast
from torch.optim import Adam
from torch.optim.lr_scheduler import CyclicLR
from torch.utils.data import DataLoader

from div2k import Div2k
from models import SRResNet
from options import Options


def psnr(model, loader):
    model.eval()
    total = 0.0
    with torch.no_grad():
        for low, high in loader:
            sr = model(low.cuda()).clamp(0, 1)
            total += -10 * math.log10(F.mse_loss(sr, high.cuda()).item())
    return total / len(loader)


def main(opt=Options()):
    torch.manual_seed(2)
    model = SRResNet(opt.scale).cuda()
    train_set = Div2k(opt.train_dir, opt.scale, opt.crop)
    train_loader = DataLoader(train_set, opt.batch_size, shuffle=True, num_workers=8)
    val_loader = DataLoader(Div2k(opt.val_dir, opt.scale), 1, num_workers=2)
    optimizer = Adam(model.parameters(), lr=opt.base_lr)
    scheduler = CyclicLR(optimizer, opt.base_lr, opt.max_lr, step_size_up=2000, cycle_momentum=False)
    scaler = GradScaler("cuda")

    best = 0.0
    for epoch in range(1, opt.epochs + 1):
        model.train()
        for low, high in train_loader:
            low, high = low.cuda(non_blocking=True), high.cuda(non_blocking=True)
            optimizer.zero_grad()
            with autocast("cuda"):
                loss = F.l1_loss(model(low), high)
            torch.nn.utils.clip_grad_norm_(model.parameters(), opt.clip)
            scaler.scale(loss).backward()
            optimizer.step()
        scheduler.step()

        quality = psnr(model, val_loader)
        print(f"epoch {epoch} PSNR {quality:.2f} dB")
        if quality > best:
            best = quality
            torch.save(model.state_dict(), "srresnet.pth")


if __name__ == "__main__":
    main()
