"""A deep network on digits, to be looked at before it is trained.

    trainlint check examples/before_training.py
    trainlint probe examples/before_training.py:Net --batch examples/before_training.py:batch --loss cross_entropy
    trainlint lr examples/before_training.py:setup
    trainlint batch-size examples/before_training.py:setup

The linter has nothing to say: it cannot see how much is lost in twenty layers of the usual initialisation,
which is made for no activation. The probe measures it, and what that of He would change.
"""

import torch
from sklearn.datasets import load_digits
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


class Net(nn.Module):
    def __init__(self, width=128, depth=20):
        super().__init__()
        layers = [nn.Linear(64, width), nn.ReLU()]
        for _ in range(depth - 1):
            layers += [nn.Linear(width, width), nn.ReLU()]
        self.body = nn.Sequential(*layers)
        self.head = nn.Linear(width, 10)

    def forward(self, images):
        return self.head(self.body(images))


def dataset():
    digits = load_digits()
    images = torch.tensor((digits.data - 4.9) / 6, dtype=torch.float32)
    return TensorDataset(images, torch.tensor(digits.target))


def batch():
    return dataset()[:64]


def setup():
    torch.manual_seed(0)
    model = Net(depth=3)
    optimizer = torch.optim.Adam(model.parameters())
    loader = DataLoader(dataset(), batch_size=32, shuffle=True)
    return model, optimizer, nn.CrossEntropyLoss(), loader
