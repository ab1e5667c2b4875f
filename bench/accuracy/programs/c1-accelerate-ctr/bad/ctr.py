"""DeepFM on the Avazu click logs. Start with `accelerate launch ctr.py`."""
from dataclasses import dataclass, field

import numpy as np
import torch
from accelerate import Accelerator
from accelerate.utils import set_seed
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


@dataclass
class TrainConfig:
    field_dims: list = field(default_factory=lambda: [241, 8, 7, 3697, 4614, 25, 5481, 329, 31])
    embed_dim: int = 16
    dropout: float = 0.2
    lr: float = 1e-3
    batch_size: int = 2048
    epochs: int = 3
    seed: int = 2021


class DeepFM(nn.Module):
    def __init__(self, field_dims, embed_dim, dropout):
        super().__init__()
        total = sum(field_dims)
        starts = np.array((0, *np.cumsum(field_dims)[:-1]), dtype=np.int64)
        self.offsets = torch.from_numpy(starts)
        self.linear = nn.Embedding(total, 1)
        self.embedding = nn.Embedding(total, embed_dim)
        nn.init.normal_(self.embedding.weight, std=0.01)
        self.deep_in = nn.Linear(len(field_dims) * embed_dim, 256)
        self.deep = nn.Sequential(
            nn.ReLU(),
            nn.Dropout(dropout),
            nn.Linear(256, 128),
            nn.ReLU(),
            nn.Dropout(dropout),
            nn.Linear(256, 1),
        )

    def forward(self, x):
        x = x + self.offsets
        v = self.embedding(x)
        first = self.linear(x).sum(dim=1)
        fm = 0.5 * (v.sum(dim=1) ** 2 - (v ** 2).sum(dim=1)).sum(dim=1, keepdim=True)
        deep = self.deep(self.deep_in(v.flatten(1)))
        return (first + fm + deep).squeeze(1)


def dataset(name):
    z = np.load(f"avazu_{name}.npz")
    return TensorDataset(torch.from_numpy(z["fields"]).long(), torch.from_numpy(z["click"]).float())


def main(config: TrainConfig):
    accelerator = Accelerator()
    set_seed(config.seed)
    model = DeepFM(config.field_dims, config.embed_dim, config.dropout)
    optimizer = torch.optim.Adam(model.parameters(), lr=config.lr)
    train_dl = DataLoader(dataset("train"), batch_size=config.batch_size, shuffle=True)
    eval_dl = DataLoader(dataset("valid"), batch_size=config.batch_size)
    model, optimizer, train_dl, eval_dl = accelerator.prepare(model, optimizer, train_dl, eval_dl)
    criterion = nn.BCELoss()

    for epoch in range(config.epochs):
        model.train()
        for step, (fields, click) in enumerate(train_dl):
            loss = criterion(model(fields), click)
            accelerator.backward(loss)
            optimizer.step()
            optimizer.zero_grad()
            if step % 500 == 0:
                accelerator.print(f"epoch {epoch} step {step} loss {loss.item():.4f}")

        model.eval()
        scores, truth = [], []
        for fields, click in eval_dl:
            with torch.no_grad():
                score = model(fields)
            score, click = accelerator.gather_for_metrics((score, click))
            scores.append(score.cpu())
            truth.append(click.cpu())
        scores, truth = torch.cat(scores), torch.cat(truth)
        rank = scores.argsort().argsort().float() + 1
        pos = truth.sum()
        auc = (rank[truth > 0].sum() - pos * (pos + 1) / 2) / (pos * (len(truth) - pos))
        accelerator.print(f"epoch {epoch}: AUC {auc.item():.4f}")

    accelerator.wait_for_everyone()
    accelerator.save_model(model, "deepfm")


if __name__ == "__main__":
    main(TrainConfig())
