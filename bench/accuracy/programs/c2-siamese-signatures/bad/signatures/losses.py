import torch
from torch import nn


class ContrastiveLoss(nn.Module):
    def __init__(self, margin=1.0):
        super().__init__()
        self.margin = margin

    def forward(self, distance, forged):
        genuine_term = (1 - forged) * distance.pow(2)
        forged_term = forged * torch.clamp(self.margin - distance, min=0.0).pow(2)
        return (genuine_term + forged_term).mean()
