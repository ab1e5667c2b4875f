from pathlib import Path

import numpy as np
import torch
from torch.utils.data import Dataset


class CellCrops(Dataset):
    def __init__(self, folder, split):
        self.items = sorted(Path(folder, split).glob("*.npz"))

    def __len__(self):
        return len(self.items)

    def __getitem__(self, i):
        z = np.load(self.items[i])
        image = torch.from_numpy(z["image"]).float().unsqueeze(0) / 255
        return image, torch.from_numpy(z["mask"]).long()
