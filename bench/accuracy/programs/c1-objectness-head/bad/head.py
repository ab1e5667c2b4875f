import torch.nn as nn


class DetectionHead(nn.Module):
    """Per cell: is there an object, and where are the four sides of its box."""

    def __init__(self, channels, hidden=128):
        super().__init__()
        self.tower = nn.Sequential(
            nn.Conv2d(channels, hidden, 3, padding=1),
            nn.BatchNorm2d(hidden),
            nn.ReLU(inplace=True),
        )
        self.objectness = nn.Linear(hidden, 1)
        self.box = nn.Linear(hidden, 4)

    def forward(self, fmap):
        t = self.tower(fmap)
        b, c, h, w = t.shape
        cells = t.view(b, h * w, c)
        return self.objectness(cells), self.box(cells)
