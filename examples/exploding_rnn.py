"""A plain recurrent network reads digits pixel by pixel, and its gradient explodes on the way back.

Run it, from the folder above, with torch and scikit-learn installed (a few seconds on a CPU)::

    python examples/exploding_rnn.py

The monitor says TL902 exploding-gradient in the first steps, names the recurrent layer and the line that makes
it, and at which norm to clip. An orthogonal matrix times 2 is enough: half of that
is left after each rectifier, and there are 64 pixels.

What the numbers of an initialisation will do to a gradient the linter cannot know, and says nothing::

    trainlint check examples/exploding_rnn.py
"""

import torch
from sklearn.datasets import load_digits
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

import trainlint


class PixelReader(nn.Module):
    def __init__(self, width=64):
        super().__init__()
        self.rnn = nn.RNN(1, width, nonlinearity="relu", batch_first=True)
        self.head = nn.Linear(width, 10)
        nn.init.orthogonal_(self.rnn.weight_hh_l0, gain=2.0)

    def forward(self, x):
        states, _ = self.rnn(x)
        return self.head(states[:, -1])


def main():
    torch.manual_seed(0)
    images, labels = load_digits(return_X_y=True)
    pixels = torch.tensor(images, dtype=torch.float32).unsqueeze(2) / 16
    loader = DataLoader(TensorDataset(pixels, torch.tensor(labels)), batch_size=64, shuffle=True)
    model = PixelReader()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9, nesterov=True)
    criterion = nn.CrossEntropyLoss()
    with trainlint.watch(model, optimizer, loss=criterion, live=True):
        for inputs, targets in loader:
            optimizer.zero_grad()
            loss = criterion(model(inputs), targets)
            loss.backward()
            optimizer.step()
    print(f"loss after one epoch: {loss.item():.2g}")


if __name__ == "__main__":
    main()
