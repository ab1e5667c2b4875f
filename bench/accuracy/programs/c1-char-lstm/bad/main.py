import sys

import torch
from torch import nn
from torch.utils.data import DataLoader

from charlm import CharLM, Corpus


def run(path, epochs=20, lr=2e-3, batch_size=32):
    torch.manual_seed(7)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    corpus = Corpus(path)
    loader = DataLoader(corpus, batch_size=batch_size, shuffle=True, drop_last=True)
    lm = CharLM(len(corpus.chars)).to(device)
    optimiser = torch.optim.Adam(lm.parameters(), lr=lr)
    criterion = nn.CrossEntropyLoss()

    for epoch in range(epochs):
        lm.train()
        total = 0.0
        for src, tgt in loader:
            src, tgt = src.to(device), tgt.to(device)
            logits, _ = lm(src)
            loss = criterion(tgt.flatten(), logits.flatten(0, 1))
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            total += loss.item()
        print(f"{epoch:3d} {total / len(loader):.4f}")
        print(sample(lm, corpus.chars, device))


@torch.no_grad()
def sample(lm, chars, device, length=200, temperature=0.8):
    lm.eval()
    token, state, out = torch.zeros(1, 1, dtype=torch.long, device=device), None, []
    for _ in range(length):
        logits, state = lm(token, state)
        token = torch.distributions.Categorical(logits=logits[:, -1] / temperature).sample()[:, None]
        out.append(chars[token.item()])
    return "".join(out)


if __name__ == "__main__":
    run(sys.argv[1] if len(sys.argv) > 1 else "shakespeare.txt")
