import pandas as pd
import torch
from torch.utils.data import TensorDataset


def load_splits(path, holdout=0.1):
    df = pd.read_csv(path, sep=";")
    users = df["user"].astype("category").cat.codes
    books = df["book"].astype("category").cat.codes
    triples = TensorDataset(
        torch.tensor(users.to_numpy(), dtype=torch.long),
        torch.tensor(books.to_numpy(), dtype=torch.long),
        torch.tensor(df["rating"].to_numpy(), dtype=torch.float32) / 10.0,
    )
    n = int(len(df) * holdout)
    parts = torch.utils.data.random_split(triples, [len(df) - n, n], torch.Generator().manual_seed(6))
    return (*parts, int(users.max()) + 1, int(books.max()) + 1)
