"""Eight layers with sigmoid on handwritten digits: the loss stays at ln(10), and the monitor says why.

Run it, from the folder above, with torch and scikit-learn installed (a few seconds on a CPU)::

    python examples/sick_mlp.py

The monitor says TL901 vanishing-gradient after five steps, with the line of the first layer and what to put in
the place of the sigmoids. Watching is the one line with `trainlint.watch`.

What can be known before it runs, the linter says:
TL205 saturating-deep-hidden and TL606 deep-stack-without-normalisation::

    trainlint check examples/sick_mlp.py
"""

import torch
from sklearn.datasets import load_digits
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

import trainlint


class DeepSigmoid(nn.Module):
    def __init__(self, width=64, depth=8):
        super().__init__()
        layers = []
        for _ in range(depth):
            layers.append(nn.Linear(width, width))
            layers.append(nn.Sigmoid())
        self.hidden = nn.Sequential(*layers)
        self.head = nn.Linear(width, 10)

    def forward(self, x):
        return self.head(self.hidden(x))


def main():
    torch.manual_seed(0)
    images, labels = load_digits(return_X_y=True)
    data = TensorDataset(torch.tensor(images, dtype=torch.float32) / 16, torch.tensor(labels))
    loader = DataLoader(data, batch_size=64, shuffle=True)
    model = DeepSigmoid()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9, nesterov=True)
    criterion = nn.CrossEntropyLoss()
    with trainlint.watch(model, optimizer, loss=criterion, live=True):
        for _ in range(5):
            for inputs, targets in loader:
                optimizer.zero_grad()
                loss = criterion(model(inputs), targets)
                loss.backward()
                optimizer.step()
    print(f"loss after five epochs: {loss.item():.2f}")


if __name__ == "__main__":
    main()
