"""A small convolutional network learns handwritten digits, and its monitor has nothing to say.

Run it, from the folder above, with torch and scikit-learn installed (a few seconds on a CPU)::

    python examples/healthy_cnn.py

It ends with the summary of a healthy training: no diagnosis, the table of layers, the monitor's own share of the
time. The validation loss is the one number that the monitor cannot see by itself, and is logged.

The linter has nothing to say either::

    trainlint check examples/healthy_cnn.py
"""

import torch
from sklearn.datasets import load_digits
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

import trainlint


class ConvNet(nn.Module):
    def __init__(self, width=16):
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(1, width, 3, padding=1, bias=False),
            nn.BatchNorm2d(width),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Conv2d(width, 2 * width, 3, padding=1, bias=False),
            nn.BatchNorm2d(2 * width),
            nn.ReLU(),
            nn.MaxPool2d(2),
        )
        self.head = nn.Linear(2 * width * 2 * 2, 10)

    def forward(self, x):
        return self.head(self.features(x).flatten(1))


def main():
    torch.manual_seed(0)
    images, labels = load_digits(return_X_y=True)
    x = torch.tensor(images, dtype=torch.float32).view(-1, 1, 8, 8)
    x, y = (x - x.mean()) / x.std(), torch.tensor(labels)
    loader = DataLoader(TensorDataset(x[:1500], y[:1500]), batch_size=64, shuffle=True)
    model = ConvNet()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    criterion = nn.CrossEntropyLoss()
    with trainlint.watch(model, optimizer, loss=criterion, live=True) as monitor:
        for _ in range(8):
            model.train()
            for inputs, targets in loader:
                optimizer.zero_grad()
                criterion(model(inputs), targets).backward()
                optimizer.step()
            model.eval()
            with torch.no_grad():
                logits = model(x[1500:])
            monitor.log(val_loss=criterion(logits, y[1500:]))
    print(f"accuracy: {(logits.argmax(1) == y[1500:]).float().mean():.0%}")


if __name__ == "__main__":
    main()
