import torch
import torch.nn as nn
import torch.nn.functional as F


class DoubleConv(nn.Module):
    def __init__(self, cin, cout):
        super().__init__()
        self.conv1 = nn.Conv2d(cin, cout, 3, padding=1)
        self.conv2 = nn.Conv2d(cout, cout, 3, padding=1)
        for conv in (self.conv1, self.conv2):
            nn.init.kaiming_normal_(conv.weight, nonlinearity="relu")
            nn.init.zeros_(conv.bias)

    def forward(self, x):
        x = F.relu(self.conv1(x), inplace=True)
        return F.relu(self.conv2(x), inplace=True)


class UNet(nn.Module):
    """Three levels are enough for 128 x 128 crops of the microscope images."""

    def __init__(self, in_channels=1, n_classes=2):
        super().__init__()
        self.down1 = DoubleConv(in_channels, 36)
        self.down2 = DoubleConv(36, 72)
        self.bottom = DoubleConv(72, 144)
        self.norm = nn.GroupNorm(num_groups=16, num_channels=144)
        self.up2 = nn.ConvTranspose2d(144, 72, 2, stride=2)
        self.dec2 = DoubleConv(144, 72)
        self.up1 = nn.ConvTranspose2d(72, 36, 2, stride=2)
        self.dec1 = DoubleConv(72, 36)
        self.head = nn.Conv2d(36, n_classes, 1)

    def forward(self, x):
        d1 = self.down1(x)
        d2 = self.down2(F.max_pool2d(d1, 2))
        b = self.norm(self.bottom(F.max_pool2d(d2, 2)))
        u2 = self.dec2(torch.cat([self.up2(b), d2], dim=1))
        u1 = self.dec1(torch.cat([self.up1(u2), d1], dim=1))
        return self.head(u1)
