import argparse
import collections
import random

import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.optim import SGD
from torch.optim.lr_scheduler import ExponentialLR
from torch.utils.data import DataLoader, Dataset
from tqdm import tqdm


class SkipGramPairs(Dataset):
    def __init__(self, path, window=5, min_count=5, sample=1e-4):
        words = open(path, encoding="utf8").read().split()
        counts = collections.Counter(words)
        self.vocab = [w for w, c in counts.most_common() if c >= min_count]
        index = {w: i for i, w in enumerate(self.vocab)}
        kept = [index[w] for w in words
                if w in index and random.random() < (sample * len(words) / counts[w]) ** 0.5]
        self.pairs = []
        for i, centre in enumerate(kept):
            r = random.randint(1, window)
            for ctx in kept[max(0, i - r):i] + kept[i + 1:i + 1 + r]:
                self.pairs.append((centre, ctx))
        freq = torch.tensor([counts[w] for w in self.vocab], dtype=torch.float)
        self.noise = freq.pow(0.75) / freq.pow(0.75).sum()

    def __len__(self):
        return len(self.pairs)

    def __getitem__(self, i):
        return self.pairs[i]


class SkipGram(nn.Module):
    def __init__(self, n_words, dim):
        super().__init__()
        self.inp = nn.Embedding(n_words, dim, sparse=False)
        self.out = nn.Embedding(n_words, dim, sparse=False)
        bound = 0.5 / dim
        nn.init.uniform_(self.inp.weight, -bound, bound)
        nn.init.uniform_(self.out.weight, -bound, bound)

    def forward(self, centre, context, negatives):
        v = self.inp(centre)
        pos = (v * self.out(context)).sum(-1)
        neg = torch.einsum("bd,bkd->bk", v, self.out(negatives))
        return -(F.logsigmoid(pos) + F.logsigmoid(-neg).sum(-1)).mean()


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("text")
    ap.add_argument("--dim", type=int, default=100)
    ap.add_argument("--negatives", type=int, default=5)
    ap.add_argument("--batch", type=int, default=32)
    ap.add_argument("--epochs", type=int, default=5)
    ap.add_argument("--alpha", type=float, default=2.5, help="learning rate")
    ap.add_argument("--out", default="vectors.pt")
    args = ap.parse_args()

    random.seed(10)
    torch.manual_seed(10)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    pairs = SkipGramPairs(args.text)
    noise = pairs.noise.to(device)
    net = SkipGram(len(pairs.vocab), args.dim).to(device)
    opt = SGD(net.parameters(), lr=args.alpha)
    decay = ExponentialLR(opt, gamma=0.95)
    loader = DataLoader(pairs, batch_size=args.batch, shuffle=True)

    for epoch in range(args.epochs):
        bar = tqdm(loader, desc=f"epoch {epoch}")
        for centre, context in bar:
            centre, context = centre.to(device), context.to(device)
            negatives = torch.multinomial(noise, centre.size(0) * args.negatives, replacement=True)
            loss = net(centre, context, negatives.view(centre.size(0), args.negatives))
            opt.zero_grad()
            loss.backward()
            opt.step()
            decay.step()
            bar.set_postfix(loss=loss.item())

    torch.save({"vocab": pairs.vocab, "vectors": net.inp.weight.detach().cpu()}, args.out)


if __name__ == "__main__":
    main()
