from collections import OrderedDict

from torch import nn


class SpectrogramNet(nn.Module):
    """Ported from the Keras version (kws-2019), see the wiki. Input: (B, 1, mels, frames)."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Sequential(OrderedDict([
            ("conv1", nn.Conv2d(1, 32, (5, 5), padding=2, bias=False)),
            ("bn1", nn.BatchNorm2d(32, eps=1e-3, momentum=0.99)),
            ("relu1", nn.ReLU()),
            ("pool1", nn.MaxPool2d(2)),
            ("conv2", nn.Conv2d(32, 64, (3, 3), padding=1, bias=False)),
            ("bn2", nn.BatchNorm2d(32)),
            ("relu2", nn.ReLU()),
            ("pool2", nn.MaxPool2d(2)),
            ("conv3", nn.Conv2d(64, 96, (3, 3), padding=1, bias=False)),
            ("bn3", nn.BatchNorm1d(96)),
            ("relu3", nn.ReLU()),
        ]))
        self.out_dim = 96

    def forward(self, mel):
        return self.conv(mel).mean(dim=(2, 3))
