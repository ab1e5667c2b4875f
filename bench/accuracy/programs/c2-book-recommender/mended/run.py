import torch
import torch.nn.functional as F
from torch import optim
from torch.utils.data import DataLoader

from recsys import NeuMF, load_splits

SETTINGS = {
    "csv": "BX-Book-Ratings.csv",
    "batch": 32,
    "epochs": 20,
    "sgd": {"lr": 0.05, "momentum": 0.9, "nesterov": True},
}


def mae(net, loader):
    net.eval()
    err, n = 0.0, 0
    with torch.no_grad():
        for user, item, rating in loader:
            err += (net(user, item) - rating).abs().sum().item()
            n += rating.numel()
    return 10 * err / n


def main():
    torch.manual_seed(6)
    train_set, val_set, n_users, n_items = load_splits(SETTINGS["csv"])
    train_loader = DataLoader(train_set, batch_size=SETTINGS["batch"], shuffle=True, num_workers=4)
    val_loader = DataLoader(val_set, batch_size=1024, num_workers=2)
    net = NeuMF(n_users, n_items)
    optimizer = optim.SGD(net.parameters(), **SETTINGS["sgd"])
    for epoch in range(SETTINGS["epochs"]):
        net.train()
        for user, item, rating in train_loader:
            optimizer.zero_grad()
            loss = F.mse_loss(net(user, item), rating)
            loss.backward()
            optimizer.step()
        print(f"epoch {epoch}: MAE {mae(net, val_loader):.3f} stars")
    torch.save(net.state_dict(), "neumf.pt")


if __name__ == "__main__":
    main()
