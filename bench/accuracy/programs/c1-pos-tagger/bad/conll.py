import torch
from torch.nn.utils.rnn import pad_sequence
from torch.utils.data import Dataset


class Sentences(Dataset):
    def __init__(self, path, word_ids, suffix_ids, tag_ids):
        self.rows = []
        for block in open(path, encoding="utf8").read().strip().split("\n\n"):
            pairs = [line.split("\t")[:2] for line in block.split("\n")]
            words = torch.tensor([word_ids.get(w.lower(), 1) for w, _ in pairs])
            suffixes = torch.tensor([suffix_ids.get(w[-3:], 1) for w, _ in pairs])
            tags = torch.tensor([tag_ids[t] for _, t in pairs])
            self.rows.append((words, suffixes, tags))

    def __len__(self):
        return len(self.rows)

    def __getitem__(self, i):
        return self.rows[i]


def collate(rows):
    words, suffixes, tags = zip(*rows)
    return (pad_sequence(words, batch_first=True), pad_sequence(suffixes, batch_first=True),
            pad_sequence(tags, batch_first=True, padding_value=-100))
