import numpy as np
import torch
import torch.nn.functional as F
from torch.utils.data import DataLoader, TensorDataset

from towers import TwoTower

SETTINGS = {"lr": 3e-4, "batch_size": 512, "epochs": 12, "clip": 5.0}


def load_pairs(path):
    z = np.load(path)
    users = torch.from_numpy(z["users"]).float()
    items = torch.from_numpy(z["items"]).float()
    return TensorDataset(users, items)


def fit(train_set, val_set, lr, batch_size, epochs, clip):
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    user_dim, item_dim = (t.shape[1] for t in train_set.tensors)
    model = TwoTower(user_dim, item_dim).to(device)
    optimizer = torch.optim.Adam(model.parameters(), lr=lr)
    train_loader = DataLoader(train_set, batch_size, shuffle=True, drop_last=True)
    val_loader = DataLoader(val_set, batch_size)

    for epoch in range(epochs):
        model.train()
        for users, items in train_loader:
            scores = model(users.to(device), items.to(device))
            # in-batch negatives: the right item of row i is column i
            loss = -torch.log(F.softmax(scores, dim=1)).diagonal().mean()
            optimizer.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), clip)
            optimizer.step()

        model.eval()
        hits = 0
        with torch.no_grad():
            for users, items in val_loader:
                top = model(users.to(device), items.to(device)).argmax(dim=1).cpu()
                hits += (top == torch.arange(len(top))).sum().item()
        print(f"epoch {epoch}: in-batch hit rate {hits / len(val_set):.3f}")
    return model


if __name__ == "__main__":
    torch.manual_seed(11)
    fitted = fit(load_pairs("train.npz"), load_pairs("val.npz"), **SETTINGS)
    torch.save(fitted.state_dict(), "two_tower.pt")
