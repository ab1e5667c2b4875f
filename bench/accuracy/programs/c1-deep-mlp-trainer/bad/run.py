import numpy as np
import torch
from torch.utils.data import DataLoader, TensorDataset

from surrogate import DeepSurrogate, Trainer


def dataset(split):
    blob = np.load(f"sim_{split}.npz")
    return TensorDataset(torch.tensor(blob["x"], dtype=torch.float32),
                         torch.tensor(blob["y"], dtype=torch.float32))


if __name__ == "__main__":
    torch.manual_seed(0)
    trainer = Trainer(
        DeepSurrogate(),
        DataLoader(dataset("train"), batch_size=128, shuffle=True),
        DataLoader(dataset("valid"), batch_size=512),
        device="cuda" if torch.cuda.is_available() else "cpu",
    )
    trainer.fit(epochs=100, path="surrogate.pt")
