import torch
import torch.nn.functional as F


def dice_loss(logits, mask, n_classes, smooth=1.0):
    """Mean soft Dice over the foreground classes."""
    p = logits.softmax(dim=1)
    t = F.one_hot(mask, n_classes).permute(0, 3, 1, 2).float()
    inter = (p * t).sum(dim=(2, 3))
    union = p.sum(dim=(2, 3)) + t.sum(dim=(2, 3))
    dice = (2 * inter + smooth) / (union + smooth)
    return 1 - dice[:, 1:].mean()


@torch.no_grad()
def pixel_accuracy(logits, mask):
    return (logits.argmax(1) == mask).float().mean().item()
