"""Day-ahead load forecasting: 168 hours in, 24 hours out."""
import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset


class Windows(Dataset):
    def __init__(self, series, n_in=168, n_out=24):
        self.series, self.n_in, self.n_out = series, n_in, n_out

    def __len__(self):
        return len(self.series) - self.n_in - self.n_out + 1

    def __getitem__(self, i):
        mid = i + self.n_in
        return self.series[i:mid], self.series[mid:mid + self.n_out, 0]


class LoadGRU(nn.Module):
    def __init__(self, n_vars, hidden, layers, horizon=24):
        super().__init__()
        self.gru = nn.GRU(n_vars, hidden, num_layers=layers, batch_first=True)
        self.out = nn.Linear(hidden, horizon)

    def forward(self, window):
        states, _ = self.gru(window)
        return self.out(states[:, -1])


@torch.no_grad()
def r_squared(model, loader):
    model.eval()
    preds, trues = [], []
    for window, target in loader:
        preds.append(model(window))
        trues.append(target)
    p, t = torch.cat(preds), torch.cat(trues)
    return 1.0 - ((t - p).pow(2).sum() / (t - t.mean()).pow(2).sum()).item()


def fit(train_series, val_series, lr, hidden, layers, epochs=25):
    torch.manual_seed(20)
    model = LoadGRU(train_series.size(1), hidden, layers)
    train_loader = DataLoader(Windows(train_series), batch_size=32, shuffle=True)
    val_loader = DataLoader(Windows(val_series), batch_size=256)
    opt = torch.optim.Adam(model.parameters(), lr=lr)
    plateau = torch.optim.lr_scheduler.ReduceLROnPlateau(opt, mode="max", patience=2)
    mse = nn.MSELoss()
    best = float("-inf")
    for _ in range(epochs):
        model.train()
        for window, target in train_loader:
            opt.zero_grad()
            mse(model(window), target).backward()
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            opt.step()
        r2_score = r_squared(model, val_loader)
        plateau.step(r2_score)
        best = max(best, r2_score)
    return best
