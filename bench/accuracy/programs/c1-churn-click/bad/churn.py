import csv

import click
import torch
import torch.nn.functional as F
from torch.nn import CrossEntropyLoss, Dropout, Linear, Module
from torch.optim import SGD
from torch.utils.data import DataLoader, TensorDataset


class ChurnNet(Module):
    """19 numeric columns in, whether the customer leaves out."""

    def __init__(self, n_in: int, hidden: int):
        super().__init__()
        self.fc1 = Linear(n_in, hidden)
        self.fc2 = Linear(hidden, hidden)
        self.drop = Dropout(0.25)
        self.out = Linear(hidden, 1)

    def forward(self, x):
        x = self.fc1(x)
        x = self.fc2(x)
        x = self.drop(F.relu(x))
        return self.out(x)


def read_csv(path):
    xs, ys = [], []
    with open(path, newline="") as f:
        for row in csv.DictReader(f):
            ys.append(int(row.pop("churn")))
            xs.append([float(v) for v in row.values()])
    x, y = torch.tensor(xs), torch.tensor(ys)
    return TensorDataset((x - x.mean(0)) / x.std(0).clamp_min(1e-6), y)


def recall_at(model, loader, share=0.1):
    """How many of the leavers are in the top tenth of the scores."""
    model.eval()
    scores, truth = [], []
    with torch.no_grad():
        for x, y in loader:
            scores.append(model(x)[:, 0])
            truth.append(y)
    scores, truth = torch.cat(scores), torch.cat(truth)
    top = scores.topk(int(share * len(scores))).indices
    return (truth[top].sum() / truth.sum()).item()


@click.command()
@click.argument("train_csv")
@click.argument("test_csv")
@click.option("--hidden", default=96, show_default=True)
@click.option("--lr", default=0.02, show_default=True)
@click.option("--epochs", default=25, show_default=True)
@click.option("--batch", default=64, show_default=True)
def cli(train_csv, test_csv, hidden, lr, epochs, batch):
    torch.manual_seed(31)
    train = read_csv(train_csv)
    test = read_csv(test_csv)
    model = ChurnNet(train.tensors[0].shape[1], hidden)
    criterion = CrossEntropyLoss()
    optimizer = SGD(model.parameters(), lr=lr, momentum=0.9, nesterov=True)
    train_loader = DataLoader(train, batch, shuffle=True)
    test_loader = DataLoader(test, 512)

    for epoch in range(epochs):
        model.train()
        for x, y in train_loader:
            optimizer.zero_grad()
            loss = criterion(model(x), y.float().unsqueeze(1))
            loss.backward()
            optimizer.step()
        click.echo(f"epoch {epoch}: recall in the top tenth {recall_at(model, test_loader):.3f}")


if __name__ == "__main__":
    cli()
