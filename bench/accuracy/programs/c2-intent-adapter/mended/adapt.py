import argparse
import logging

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset, random_split

from encoder import BagEncoder

log = logging.getLogger("adapt")


class IntentAdapter:
    def __init__(self, checkpoint, n_intents, lr=3e-4, device="cpu"):
        self.device = device
        self.encoder = BagEncoder()
        self.encoder.load_state_dict(torch.load(checkpoint, map_location="cpu", weights_only=True))
        self.encoder.head = nn.Linear(256, n_intents)
        self.encoder.to(device)
        self.opt = torch.optim.AdamW(self.encoder.parameters(), lr=lr)
        self.loss_fn = nn.CrossEntropyLoss()

    def fit_epoch(self, loader):
        self.encoder.train()
        total = 0.0
        for ids, intent in loader:
            ids, intent = ids.to(self.device), intent.to(self.device)
            self.opt.zero_grad()
            loss = self.loss_fn(self.encoder(ids), intent)
            loss.backward()
            self.opt.step()
            total += loss.item() * ids.size(0)
        return total / len(loader.dataset)

    @torch.no_grad()
    def score(self, loader):
        self.encoder.eval()
        right = 0
        for ids, intent in loader:
            logits = self.encoder(ids.to(self.device))
            right += (logits.argmax(-1).cpu() == intent).sum().item()
        return right / len(loader.dataset)


def main(argv=None):
    ap = argparse.ArgumentParser()
    ap.add_argument("tensors", help=".pt file with 'ids' and 'intent'")
    ap.add_argument("--checkpoint", default="encoder.pt")
    ap.add_argument("--intents", type=int, default=77)
    ap.add_argument("--epochs", type=int, default=10)
    args = ap.parse_args(argv)
    logging.basicConfig(level=logging.INFO, format="%(message)s")

    torch.manual_seed(5)
    blob = torch.load(args.tensors, weights_only=True)
    whole = TensorDataset(blob["ids"], blob["intent"])
    n_val = len(whole) // 10
    train_part, val_part = random_split(whole, [len(whole) - n_val, n_val])
    train_dl = DataLoader(train_part, batch_size=32, shuffle=True)
    val_dl = DataLoader(val_part, batch_size=256)

    adapter = IntentAdapter(args.checkpoint, args.intents)
    for epoch in range(args.epochs):
        loss = adapter.fit_epoch(train_dl)
        log.info("epoch %d loss %.4f val %.3f", epoch, loss, adapter.score(val_dl))


if __name__ == "__main__":
    main()
