import torch.nn.functional as F
from torch import nn


class SiameseNet(nn.Module):
    def __init__(self, dim=64):
        super().__init__()
        self.cnn = nn.Sequential(
            nn.Conv2d(1, 32, 7, stride=2), nn.ReLU(), nn.MaxPool2d(2),
            nn.Conv2d(32, 64, 5), nn.ReLU(), nn.MaxPool2d(2),
            nn.Conv2d(64, 128, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(),
            nn.Dropout(0.3), nn.Linear(128, dim),
        )

    def forward(self, a, b):
        return F.pairwise_distance(self.cnn(a), self.cnn(b))
