import torch.nn as nn
import torch.nn.functional as F


def norm(channels):
    return nn.GroupNorm(16, channels)


class Residual(nn.Module):
    def __init__(self, cin, cout, stride=1):
        super().__init__()
        self.conv1 = nn.Conv2d(cin, cout, 3, stride, 1, bias=False)
        self.norm1 = norm(cout)
        self.conv2 = nn.Conv2d(cout, cout, 3, 1, 1, bias=False)
        self.norm2 = norm(cout)
        self.skip = nn.Conv2d(cin, cout, 1, stride, bias=False)

    def forward(self, x):
        y = F.relu(self.norm1(self.conv1(x)))
        y = self.norm2(self.conv2(y))
        return F.relu(y + self.skip(x))


class HeatmapNet(nn.Module):
    def __init__(self, n_points=17, width=64):
        super().__init__()
        self.encoder = nn.Sequential(
            Residual(3, width, 2), Residual(width, 2 * width, 2), Residual(2 * width, 2 * width),
        )
        self.up = nn.ConvTranspose2d(2 * width, width, 4, 2, 1)
        self.heat = nn.Conv2d(width, n_points, 1)

    def forward(self, x):
        y = F.relu(self.up(self.encoder(x)))
        return self.heat(y)
