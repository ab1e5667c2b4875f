import json

import torch
from torch.utils.data import DataLoader

from modeling import ReviewClassifier
from trainer import Trainer

ARGS = {"learning_rate": 2e-4, "num_train_epochs": 3, "max_grad_norm": 1.0, "batch_size": 32, "seed": 13}


def read_jsonl(path):
    with open(path) as f:
        return [json.loads(line) for line in f]


def collate(rows):
    ids = [torch.tensor(r["ids"][:256]) for r in rows]
    return {
        "input_ids": torch.nn.utils.rnn.pad_sequence(ids, batch_first=True),
        "labels": torch.tensor([r["stars"] - 1 for r in rows]),
    }


if __name__ == "__main__":
    torch.manual_seed(ARGS["seed"])
    train = DataLoader(read_jsonl("train.jsonl"), ARGS["batch_size"], shuffle=True, collate_fn=collate)
    dev = DataLoader(read_jsonl("dev.jsonl"), ARGS["batch_size"], collate_fn=collate)
    model = ReviewClassifier(vocab_size=30_000, num_labels=5)
    Trainer(model, ARGS, train, dev).train()
    torch.save(model.state_dict(), "reviews.pt")
