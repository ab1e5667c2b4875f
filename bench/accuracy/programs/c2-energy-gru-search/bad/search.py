import pandas as pd
import torch

from forecast import fit


def load(path="load.csv"):
    frame = pd.read_csv(path, parse_dates=["utc"], index_col="utc").interpolate().dropna()
    split = int(len(frame) * 0.85)
    mean, std = frame.iloc[:split].mean(), frame.iloc[:split].std()
    values = torch.tensor(((frame - mean) / std).to_numpy(), dtype=torch.float32)
    return values[:split], values[split:]


def search():
    train, val = load()
    results = {}
    for lr in [1e-4, 5e-4, 1e-3, 5e-3]:
        for hidden in [32, 64, 128]:
            for layers in [1, 2]:
                results[lr, hidden, layers] = fit(train, val, lr, hidden, layers)
                print(lr, hidden, layers, "->", round(results[lr, hidden, layers], 4))
    return max(results, key=results.get)


if __name__ == "__main__":
    print("best:", search())
