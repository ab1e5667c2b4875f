import argparse
import time

import numpy as np
import scipy.sparse as sp
import torch
import torch.nn as nn
import torch.nn.functional as F
import torch.optim as optim

parser = argparse.ArgumentParser()
parser.add_argument("--seed", type=int, default=42, help="Random seed.")
parser.add_argument("--epochs", type=int, default=200)
parser.add_argument("--lr", type=float, default=0.005)
parser.add_argument("--weight_decay", type=float, default=5e-4, help="Weight decay.")
parser.add_argument("--hidden", type=int, default=16)
parser.add_argument("--dropout", type=float, default=0.5)
parser.add_argument("--data", default="cora.npz")
args = parser.parse_args()

np.random.seed(args.seed)
torch.manual_seed(args.seed)


class GraphConv(nn.Module):
    def __init__(self, n_in, n_out):
        super().__init__()
        self.lin = nn.Linear(n_in, n_out)

    def forward(self, x, adj):
        return torch.sparse.mm(adj, self.lin(x))


class GCN(nn.Module):
    def __init__(self, nfeat, nhid, nclass, dropout):
        super().__init__()
        self.gc1 = GraphConv(nfeat, nhid)
        self.gc2 = GraphConv(nhid, nclass)
        self.dropout = dropout

    def forward(self, x, adj):
        x = F.relu(self.gc1(x, adj))
        x = F.dropout(x, self.dropout, training=self.training)
        return F.log_softmax(self.gc2(x, adj), dim=1)


def load_graph(path):
    blob = np.load(path)
    n = len(blob["labels"])
    rows, cols = blob["edges"]
    adj = sp.coo_matrix((np.ones(len(rows)), (rows, cols)), shape=(n, n))
    adj = adj.maximum(adj.T) + sp.eye(n)
    deg = sp.diags(np.power(np.asarray(adj.sum(1)).ravel(), -0.5))
    adj = (deg @ adj @ deg).tocoo()
    index = torch.tensor(np.vstack([adj.row, adj.col]), dtype=torch.long)
    sparse = torch.sparse_coo_tensor(index, torch.tensor(adj.data, dtype=torch.float32), (n, n)).coalesce()
    return torch.tensor(blob["features"]).float(), torch.tensor(blob["labels"]), sparse


features, labels, adj = load_graph(args.data)
idx_train, idx_val, idx_test = torch.arange(140), torch.arange(200, 500), torch.arange(500, 1500)

model = GCN(features.size(1), args.hidden, int(labels.max()) + 1, args.dropout)
optimizer = optim.AdamW(model.parameters(), lr=args.lr, weight_decay=args.weight_decay)


def accuracy(output, labels):
    return (output.argmax(1) == labels).float().mean().item()


def train(epoch):
    t = time.time()
    model.train()
    optimizer.zero_grad()
    output = model(features, adj)
    loss_train = F.nll_loss(output[idx_train], labels[idx_train])
    loss_train.backward()
    optimizer.step()
    print("Epoch: {:04d} loss_train: {:.4f} time: {:.4f}s".format(epoch + 1, loss_train.item(), time.time() - t))


def test(index):
    model.eval()
    with torch.no_grad():
        output = model(features, adj)
    return F.nll_loss(output[index], labels[index]).item(), accuracy(output[index], labels[index])


best, since = float("inf"), 0
for epoch in range(args.epochs):
    train(epoch)
    val_loss, val_acc = test(idx_val)
    if val_loss < best:
        best, since = val_loss, 0
        torch.save(model.state_dict(), "gcn.pt")
    else:
        since += 1
    if since > 20:
        break
model.load_state_dict(torch.load("gcn.pt", weights_only=True))
loss_test, acc_test = test(idx_test)
print("Test set results: loss= {:.4f} accuracy= {:.4f}".format(loss_test, acc_test))
