import json

import torch
from torch.utils.data import Dataset


class JsonlDataset(Dataset):
    """One {"input_ids": [...], "label": n} per line, already tokenised."""

    def __init__(self, path, max_len):
        self.max_len = max_len
        with open(path) as handle:
            self.rows = [json.loads(line) for line in handle]

    def __len__(self):
        return len(self.rows)

    def __getitem__(self, index):
        row = self.rows[index]
        ids = row["input_ids"][: self.max_len]
        pad = self.max_len - len(ids)
        mask = [1] * len(ids) + [0] * pad
        return torch.tensor(ids + [0] * pad), torch.tensor(mask), torch.tensor(row["label"])
