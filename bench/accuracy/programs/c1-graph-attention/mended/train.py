import argparse
import copy

import numpy as np
import torch
import torch.nn.functional as F
import torch.optim as optim

from models import GAT

parser = argparse.ArgumentParser()
parser.add_argument("--seed", type=int, default=72)
parser.add_argument("--epochs", type=int, default=1000)
parser.add_argument("--lr", type=float, default=0.005)
parser.add_argument("--hidden", type=int, default=8)
parser.add_argument("--nb_heads", type=int, default=8)
parser.add_argument("--dropout", type=float, default=0.5)
parser.add_argument("--patience", type=int, default=100)
args = parser.parse_args()

torch.manual_seed(args.seed)
blob = np.load("cora_dense.npz")
features = torch.from_numpy(blob["features"]).float()
adj = torch.from_numpy(blob["adj"]).float()
labels = torch.from_numpy(blob["labels"]).long()
idx_train, idx_val, idx_test = (torch.from_numpy(blob[k]) for k in ("train", "val", "test"))

model = GAT(features.shape[1], args.hidden, int(labels.max()) + 1, args.dropout, args.nb_heads)
optimizer = optim.Adam(model.parameters(), lr=args.lr)


def accuracy(idx):
    model.eval()
    with torch.no_grad():
        guess = model(features, adj).argmax(dim=1)
    return (guess[idx] == labels[idx]).float().mean().item()


best, best_weights, bad_counter = 0.0, None, 0
for epoch in range(args.epochs):
    model.train()
    optimizer.zero_grad()
    output = model(features, adj)
    loss_train = F.cross_entropy(output[idx_train], labels[idx_train])
    loss_train.backward()
    optimizer.step()

    acc_val = accuracy(idx_val)
    print(f"Epoch: {epoch + 1:04d} loss_train: {loss_train.item():.4f} acc_val: {acc_val:.4f}")
    if acc_val > best:
        best, bad_counter = acc_val, 0
        best_weights = copy.deepcopy(model.state_dict())
    else:
        bad_counter += 1
    if bad_counter == args.patience:
        break

model.load_state_dict(best_weights)
print("test accuracy", accuracy(idx_test))
