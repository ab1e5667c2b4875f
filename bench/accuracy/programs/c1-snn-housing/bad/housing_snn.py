# Self-normalising network (Klambauer et al. 2017) on the California housing table.
import numpy as np
import torch
from sklearn.datasets import fetch_california_housing
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

SEED = 42
HIDDEN = 64
N_EPOCHS = 40
BATCH_SIZE = 64
LEARNING_RATE = 1e-3


def make_net(n_in, p_drop=0.1):
    net = nn.Sequential(
        nn.Linear(n_in, HIDDEN),
        nn.SELU(),
        nn.Linear(HIDDEN, HIDDEN),
        nn.SELU(),
        nn.Dropout(p_drop),
        nn.Linear(HIDDEN, HIDDEN),
        nn.SELU(),
        nn.Linear(HIDDEN, 1),
    )
    return net


def to_set(x, y):
    return TensorDataset(torch.tensor(x, dtype=torch.float32),
                         torch.tensor(y, dtype=torch.float32).unsqueeze(1))


def rmse(net, data):
    net.eval()
    with torch.no_grad():
        x, y = data.tensors
        return (net(x) - y).pow(2).mean().sqrt().item()


def main():
    np.random.seed(SEED)
    torch.manual_seed(SEED)
    x, y = fetch_california_housing(return_X_y=True)
    x_train, x_test, y_train, y_test = train_test_split(x, y, test_size=0.2, random_state=SEED)
    scaler = StandardScaler().fit(x_train)
    train = to_set(scaler.transform(x_train), y_train)
    test = to_set(scaler.transform(x_test), y_test)

    net = make_net(x.shape[1])
    loss_fn = nn.MSELoss()
    opt = torch.optim.Adam(net.parameters(), lr=LEARNING_RATE)
    loader = DataLoader(train, BATCH_SIZE, shuffle=True)
    for epoch in range(1, N_EPOCHS + 1):
        net.train()
        for xb, yb in loader:
            opt.zero_grad()
            loss_fn(net(xb), yb).backward()
            opt.step()
        if epoch % 5 == 0:
            print(f"{epoch:3d}  train {rmse(net, train):.3f}  test {rmse(net, test):.3f}")


if __name__ == "__main__":
    main()
