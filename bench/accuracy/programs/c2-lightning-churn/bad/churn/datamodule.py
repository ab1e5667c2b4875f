import numpy as np
import pytorch_lightning as pl
import torch
from torch.utils.data import DataLoader, TensorDataset


class ChurnData(pl.LightningDataModule):
    def __init__(self, path="churn.npz", batch_size=32):
        super().__init__()
        self.path = path
        self.batch_size = batch_size

    def setup(self, stage=None):
        blob = np.load(self.path)
        x = torch.from_numpy(blob["x"]).float()
        y = torch.from_numpy(blob["churned"]).float()
        cut = int(0.8 * len(x))
        mean, std = x[:cut].mean(0), x[:cut].std(0).clamp_min(1e-6)
        x = (x - mean) / std
        self.train = TensorDataset(x[:cut], y[:cut])
        self.val = TensorDataset(x[cut:], y[cut:])

    def train_dataloader(self):
        return DataLoader(self.train, self.batch_size, shuffle=True, num_workers=2)

    def val_dataloader(self):
        return DataLoader(self.val, 512, num_workers=2)
