import numpy as np
import torch
from torch.utils.data import DataLoader, TensorDataset


def get_loader(split: str, batch_size: int, train: bool) -> DataLoader:
    z = np.load(f"shops_{split}.npz")
    ds = TensorDataset(torch.from_numpy(z["x"]).float(), torch.from_numpy(z["category"]).long())
    return DataLoader(ds, batch_size=batch_size, shuffle=train)
