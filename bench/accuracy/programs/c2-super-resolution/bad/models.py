import torch.nn as nn


class ResBlock(nn.Module):
    def __init__(self, n=64):
        super().__init__()
        self.conv1 = nn.Conv2d(n, n, 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(n)
        self.prelu = nn.PReLU()
        self.conv2 = nn.Conv2d(n, n, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(n)

    def forward(self, x):
        y = self.prelu(self.bn1(self.conv1(x)))
        return x + self.bn2(self.conv2(y))


class SRResNet(nn.Module):
    def __init__(self, scale=4, n=64, blocks=4):
        super().__init__()
        self.head = nn.Sequential(nn.Conv2d(3, n, 9, padding=4), nn.PReLU())
        self.body = nn.Sequential(*[ResBlock(n) for _ in range(blocks)])
        self.up = nn.Sequential(nn.Conv2d(n, n * scale ** 2, 3, padding=1), nn.PixelShuffle(scale), nn.PReLU())
        self.tail = nn.Conv2d(n, 3, 9, padding=4)

    def forward(self, lr_image):
        h = self.head(lr_image)
        return self.tail(self.up(h + self.body(h)))
