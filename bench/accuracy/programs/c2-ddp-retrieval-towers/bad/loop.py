import torch
import torch.nn.functional as F


def to_device(batch, device):
    return [t.to(device, non_blocking=True) for t in batch]


def train_epoch(ddp_model, loader, optimizer, device, log=None):
    ddp_model.train()
    total = 0.0
    for step, batch in enumerate(loader):
        q, q_off, d, d_off = to_device(batch, device)
        scores = ddp_model.module(q, q_off, d, d_off)
        labels = torch.arange(scores.size(0), device=device)
        loss = F.cross_entropy(scores, labels)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
        total += loss.item()
        if log and step % 100 == 0:
            log(f"  step {step}: {loss.item():.4f}")
    return total / max(1, len(loader))
