"""A deep sigmoid network whose initialisation was made for ReLU: its gradient vanishes on the way down.

Lint it, from the folder above::

    trainlint check examples/deep_sigmoid.py

It prints two diagnoses: TL205 saturating-deep-hidden (seven sigmoids in a row and nothing that normalises) and
TL102 kaiming-init-before-saturating (He initialisation doubles the variance for a ReLU that is not there).
`trainlint rule saturating-deep-hidden` tells why, with sources.

Where torch is installed, `python examples/deep_sigmoid.py` prints the mean gradient of every layer: each is
smaller than the one above it, and the first layer gets next to nothing.
"""

import torch
from torch import nn

DEPTH = 7


class DeepSigmoid(nn.Module):
    """A plain stack, as in the days before ReLU."""

    def __init__(self, inputs=20, width=128, classes=2):
        super().__init__()
        layers = []
        for number in range(DEPTH):
            layers.append(nn.Linear(inputs if number == 0 else width, width))
            layers.append(nn.Sigmoid())
        self.hidden = nn.Sequential(*layers)
        self.head = nn.Linear(width, classes)
        self.apply(self._init)

    @staticmethod
    def _init(module):
        if isinstance(module, nn.Linear):
            nn.init.kaiming_normal_(module.weight)
            nn.init.zeros_(module.bias)

    def forward(self, x):
        return self.head(self.hidden(x))


def main():
    torch.manual_seed(0)
    model = DeepSigmoid()
    inputs, labels = torch.randn(256, 20), torch.randint(2, (256,))
    nn.functional.cross_entropy(model(inputs), labels).backward()
    for name, parameter in model.named_parameters():
        if name.endswith("weight"):
            print(f"{name:16} {parameter.grad.abs().mean():.1e}")


if __name__ == "__main__":
    main()
