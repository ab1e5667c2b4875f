from torch import nn


def unit(i, o, dilation=1):
    return nn.Sequential(
        nn.Conv2d(i, o, 3, padding=dilation, dilation=dilation, bias=False),
        nn.InstanceNorm2d(o, affine=True),
        nn.LeakyReLU(0.01),
    )


class DilatedNet(nn.Module):
    def __init__(self, n_classes, base=32):
        super().__init__()
        self.stem = unit(3, base)
        self.context = nn.Sequential(*[unit(base, base, d) for d in (1, 2, 4, 8)])
        self.logits = nn.Conv2d(base, n_classes, 1)

    def forward(self, x):
        x = self.stem(x)
        return self.logits(x + self.context(x))
