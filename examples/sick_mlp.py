"""A deep network of sigmoids that hardly trains, watched: what the gradients show, and what to do first.

How to run:
    pip install 'trainlint[torch]' scikit-learn
    python examples/sick_mlp.py
"""

import torch
from sklearn.datasets import load_digits
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

import trainlint


class DeepMlp(nn.Module):
    def __init__(self, width=64, depth=8):
        super().__init__()
        self.first = nn.Linear(64, width)
        self.hidden = nn.ModuleList(nn.Linear(width, width) for _ in range(depth))
        self.last = nn.Linear(width, 10)

    def forward(self, images):
        x = torch.sigmoid(self.first(images))
        for layer in self.hidden:
            x = torch.sigmoid(layer(x))
        return self.last(x)


def main():
    torch.manual_seed(0)
    digits = load_digits()
    images = torch.tensor(digits.data / 16, dtype=torch.float32)
    images = (images - images.mean()) / images.std()
    labels = torch.tensor(digits.target)
    loader = DataLoader(TensorDataset(images, labels), batch_size=32, shuffle=True)

    model = DeepMlp()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    with trainlint.watch(model, optimizer, recording=False):
        for epoch in range(5):
            for batch, target in loader:
                loss = nn.functional.cross_entropy(model(batch), target)
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
            print(f"epoch {epoch}: loss {loss.item():.3f}")


if __name__ == "__main__":
    main()
