#!/usr/bin/env python
# Neural collaborative filtering on MovieLens-100k (u.data), explicit ratings.
import csv
import random

import torch
import torch.nn as nn
import torch.nn.functional as nnf
from torch.utils.data import DataLoader, Dataset

PATH = "ml-100k/u.data"
N_USERS = 944
N_ITEMS = 1683
DIM = 32
HIDDEN = 64
BATCH = 512
EPOCHS = 15
LR = 2e-3


class Ratings(Dataset):
    def __init__(self, rows):
        self.rows = rows

    def __len__(self):
        return len(self.rows)

    def __getitem__(self, i):
        u, m, r = self.rows[i]
        return torch.tensor(u), torch.tensor(m), torch.tensor(r / 5.0)


class NCF(nn.Module):
    def __init__(self, n_users, n_items, dim, hidden):
        super().__init__()
        self.user = nn.Embedding(n_users, dim)
        self.item = nn.Embedding(n_items, dim)
        self.hidden = nn.Linear(2 * dim, hidden)
        self.out = nn.Linear(hidden, 1)
        self.reset_parameters()

    def reset_parameters(self):
        nn.init.normal_(self.user.weight, std=0.05)
        nn.init.normal_(self.item.weight, std=0.05)
        nn.init.kaiming_uniform_(self.hidden.weight, nonlinearity="relu")
        nn.init.zeros_(self.hidden.bias)

    def forward(self, u, m):
        z = torch.cat([self.user(u), self.item(m)], dim=-1)
        return self.out(nnf.relu(self.hidden(z)))


def read_rows(path):
    with open(path) as f:
        return [(int(u), int(m), float(r)) for u, m, r, _ in csv.reader(f, delimiter="\t")]


random.seed(3)
torch.manual_seed(3)
rows = read_rows(PATH)
random.shuffle(rows)
cut = int(0.9 * len(rows))
train_dl = DataLoader(Ratings(rows[:cut]), batch_size=BATCH, shuffle=True)
test_dl = DataLoader(Ratings(rows[cut:]), batch_size=BATCH)

net = NCF(N_USERS, N_ITEMS, DIM, HIDDEN)
opt = torch.optim.Adam(net.parameters(), lr=LR)

for epoch in range(EPOCHS):
    net.train()
    for user, movie, rating in train_dl:
        guess = net(user, movie).squeeze(-1)
        loss = nnf.mse_loss(guess, rating)
        opt.zero_grad()
        loss.backward()
        opt.step()

    net.eval()
    err, n = 0.0, 0
    with torch.no_grad():
        for user, movie, rating in test_dl:
            diff = net(user, movie)[:, 0] - rating
            err += (diff * 5).pow(2).sum().item()
            n += len(rating)
    print("epoch %d  test rmse %.4f" % (epoch + 1, (err / n) ** 0.5))
