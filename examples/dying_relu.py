"""A learning rate a hundred times too large kills the rectifiers of a network, unit by unit.

Run it, from the folder above, with torch and scikit-learn installed (a few seconds on a CPU)::

    python examples/dying_relu.py

The monitor says TL250 dead-relu within the first epoch, for each layer that dies, and because the loss jumped
before, that the rate is to be lowered.

The linter knows the rate before anything runs: it says TL402 adam-lr-too-high::

    trainlint check examples/dying_relu.py
"""

import torch
from sklearn.datasets import load_digits
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

import trainlint


class Classifier(nn.Module):
    def __init__(self, width=128):
        super().__init__()
        self.fc1 = nn.Linear(64, width)
        self.relu1 = nn.ReLU()
        self.fc2 = nn.Linear(width, width)
        self.relu2 = nn.ReLU()
        self.head = nn.Linear(width, 10)

    def forward(self, x):
        x = self.relu1(self.fc1(x))
        x = self.relu2(self.fc2(x))
        return self.head(x)


def main():
    torch.manual_seed(0)
    images, labels = load_digits(return_X_y=True)
    data = TensorDataset(torch.tensor(images, dtype=torch.float32) / 16, torch.tensor(labels))
    loader = DataLoader(data, batch_size=64, shuffle=True)
    model = Classifier()
    optimizer = torch.optim.Adam(model.parameters(), lr=0.1)
    criterion = nn.CrossEntropyLoss()
    with trainlint.watch(model, optimizer, loss=criterion, every=1, live=True):
        for _ in range(5):
            for inputs, targets in loader:
                optimizer.zero_grad()
                loss = criterion(model(inputs), targets)
                loss.backward()
                optimizer.step()
    print(f"loss after five epochs: {loss.item():.2f}")


if __name__ == "__main__":
    main()
