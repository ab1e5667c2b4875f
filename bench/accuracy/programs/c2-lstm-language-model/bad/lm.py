import argparse
import math
from collections import Counter
from pathlib import Path

import torch
import torch.nn as nn


class Corpus:
    def __init__(self, path, max_words=20000):
        text = Path(path).read_text(encoding="utf-8").replace("\n", " <eos> ").split()
        vocab = ["<unk>"] + [w for w, _ in Counter(text).most_common(max_words - 1)]
        self.word2idx = {w: i for i, w in enumerate(vocab)}
        self.ids = torch.tensor([self.word2idx.get(w, 0) for w in text], dtype=torch.long)

    def __len__(self):
        return len(self.word2idx)


def batchify(ids, bsz):
    nbatch = ids.size(0) // bsz
    return ids[: nbatch * bsz].view(bsz, nbatch).t().contiguous()


class RNNModel(nn.Module):
    def __init__(self, ntoken, ninp=200, nhid=400, nlayers=2, dropout=0.3):
        super().__init__()
        self.drop = nn.Dropout(dropout)
        self.encoder = nn.Embedding(ntoken, ninp)
        self.rnn = nn.LSTM(ninp, nhid, nlayers, dropout=dropout)
        self.decoder = nn.Linear(nhid, ntoken)
        self.nlayers, self.nhid = nlayers, nhid

    def forward(self, tokens, hidden):
        emb = self.drop(self.encoder(tokens))
        out, hidden = self.rnn(emb, hidden)
        return self.decoder(self.drop(out)), hidden

    def init_hidden(self, bsz, device):
        shape = (self.nlayers, bsz, self.nhid)
        return torch.zeros(shape, device=device), torch.zeros(shape, device=device)


def get_batch(source, i, bptt):
    n = min(bptt, len(source) - 1 - i)
    return source[i:i + n], source[i + 1:i + 1 + n].reshape(-1)


def train_epoch(model, source, criterion, optimizer, args, device):
    model.train()
    total_loss = 0.0
    hidden = model.init_hidden(args.batch_size, device)
    steps = 0
    for i in range(0, source.size(0) - 1, args.bptt):
        data, targets = get_batch(source, i, args.bptt)
        optimizer.zero_grad()
        output, hidden = model(data, hidden)
        loss = criterion(output.view(-1, output.size(-1)), targets)
        loss.backward(retain_graph=True)
        optimizer.step()
        total_loss += loss
        steps += 1
    return float(total_loss) / steps


@torch.no_grad()
def evaluate(model, source, criterion, args, device):
    model.eval()
    total, count = 0.0, 0
    hidden = model.init_hidden(args.batch_size, device)
    for i in range(0, source.size(0) - 1, args.bptt):
        data, targets = get_batch(source, i, args.bptt)
        output, hidden = model(data, hidden)
        total += criterion(output.view(-1, output.size(-1)), targets).item() * len(data)
        count += len(data)
    return total / count


def main():
    p = argparse.ArgumentParser(description="word language model")
    p.add_argument("--train", default="data/train.txt")
    p.add_argument("--bptt", type=int, default=35)
    p.add_argument("--batch-size", type=int, default=20)
    p.add_argument("--epochs", type=int, default=40)
    p.add_argument("--lr", type=float, default=1e-3)
    p.add_argument("--save", default="lm.pt")
    args = p.parse_args()

    torch.manual_seed(1111)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    corpus = Corpus(args.train)
    cut = int(0.95 * len(corpus.ids))
    train_data = batchify(corpus.ids[:cut], args.batch_size).to(device)
    val_data = batchify(corpus.ids[cut:], args.batch_size).to(device)

    model = RNNModel(len(corpus)).to(device)
    criterion = nn.CrossEntropyLoss()
    optimizer = torch.optim.Adam(model.parameters(), lr=args.lr)
    best = float("inf")
    for epoch in range(1, args.epochs + 1):
        train_loss = train_epoch(model, train_data, criterion, optimizer, args, device)
        val_loss = evaluate(model, val_data, criterion, args, device)
        print(f"| {epoch:3d} | train ppl {math.exp(train_loss):8.2f} | valid ppl {math.exp(val_loss):8.2f}")
        if val_loss < best:
            best = val_loss
            torch.save(model.state_dict(), args.save)


if __name__ == "__main__":
    main()
