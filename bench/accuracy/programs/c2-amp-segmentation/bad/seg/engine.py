import torch
from torch.cuda.amp import autocast


def train_one_epoch(model, criterion, optimizer, scaler, loader, device, max_norm=1.0):
    model.train()
    meter = 0.0
    for image, mask in loader:
        image, mask = image.to(device), mask.to(device)
        optimizer.zero_grad()
        with autocast():
            loss = criterion(model(image), mask)
        scaler.scale(loss).backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), max_norm)
        scaler.step(optimizer)
        scaler.update()
        meter += loss.item()
    return meter / len(loader)


@torch.no_grad()
def evaluate(model, loader, device):
    model.eval()
    inter = union = 0
    for image, mask in loader:
        pred = model(image.to(device)).argmax(dim=1).cpu().bool()
        mask = mask.bool()
        inter += (pred & mask).sum().item()
        union += (pred | mask).sum().item()
    return inter / max(union, 1)
