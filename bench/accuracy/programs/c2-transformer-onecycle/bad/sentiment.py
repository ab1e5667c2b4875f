import math
import time

import click
import torch
from torch import nn
from torch.optim import AdamW
from torch.optim.lr_scheduler import OneCycleLR
from torch.utils.data import DataLoader, TensorDataset

PAD = 0


class PositionalEncoding(nn.Module):
    def __init__(self, d_model, max_len=512):
        super().__init__()
        pos = torch.arange(max_len).unsqueeze(1)
        div = torch.exp(torch.arange(0, d_model, 2) * (-math.log(10000.0) / d_model))
        pe = torch.zeros(max_len, d_model)
        pe[:, 0::2] = torch.sin(pos * div)
        pe[:, 1::2] = torch.cos(pos * div)
        self.register_buffer("pe", pe)

    def forward(self, x):
        return x + self.pe[: x.size(1)]


class SentimentEncoder(nn.Module):
    def __init__(self, vocab, d_model=128, heads=4, depth=3, classes=2):
        super().__init__()
        self.embed = nn.Embedding(vocab, d_model, padding_idx=PAD)
        self.pos = PositionalEncoding(d_model)
        layer = nn.TransformerEncoderLayer(d_model, heads, 4 * d_model, batch_first=True, norm_first=True)
        self.encoder = nn.TransformerEncoder(layer, depth, enable_nested_tensor=False)
        self.norm = nn.LayerNorm(d_model)
        self.classify = nn.Linear(d_model, classes)

    def forward(self, tokens):
        mask = tokens.eq(PAD)
        h = self.encoder(self.pos(self.embed(tokens)), src_key_padding_mask=mask)
        h = h.masked_fill(mask.unsqueeze(-1), 0.0).sum(1) / (~mask).sum(1, keepdim=True)
        return self.classify(self.norm(h))


def load(path):
    blob = torch.load(path, weights_only=True)
    return TensorDataset(blob["tokens"], blob["labels"])


def accuracy(net, loader, device):
    net.eval()
    good = total = 0
    with torch.inference_mode():
        for tokens, labels in loader:
            pred = net(tokens.to(device)).argmax(-1).cpu()
            good += int((pred == labels).sum())
            total += len(labels)
    return good / total


@click.command()
@click.option("--train-file", default="train.pt")
@click.option("--valid-file", default="valid.pt")
@click.option("--vocab", default=30000)
@click.option("--epochs", default=8)
@click.option("--batch-size", default=32)
@click.option("--max-lr", default=5e-4)
def main(train_file, valid_file, vocab, epochs, batch_size, max_lr):
    torch.manual_seed(0)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    train_loader = DataLoader(load(train_file), batch_size, shuffle=True)
    valid_loader = DataLoader(load(valid_file), 128)

    net = SentimentEncoder(vocab).to(device)
    opt = AdamW(net.parameters(), lr=max_lr)
    sched = OneCycleLR(opt, max_lr=max_lr, total_steps=epochs * len(train_loader), pct_start=0.1)
    loss_fn = nn.CrossEntropyLoss(label_smoothing=0.1)

    for epoch in range(epochs):
        started = time.time()
        net.train()
        for tokens, labels in train_loader:
            tokens, labels = tokens.to(device), labels.to(device)
            loss = loss_fn(net(tokens), labels)
            opt.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(net.parameters(), 1.0)
            opt.step()
        sched.step()
        lr = sched.get_lr()[0]
        acc = accuracy(net, valid_loader, device)
        print(f"{epoch}: lr {lr:.2e} loss {loss.item():.3f} acc {acc:.3f} ({time.time() - started:.0f}s)")


if __name__ == "__main__":
    main()
