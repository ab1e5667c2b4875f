import optuna
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

    def objective(trial):
        lr = trial.suggest_float("lr", 1e-4, 5e-3, log=True)
        hidden = trial.suggest_int("hidden", 32, 128, log=True)
        layers = trial.suggest_int("layers", 1, 2)
        return fit(train, val, lr, hidden, layers)

    study = optuna.create_study(direction="maximize")
    study.optimize(objective, n_trials=24)
    return study.best_params


if __name__ == "__main__":
    print("best:", search())
