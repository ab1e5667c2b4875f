import pickle

import torch
import torch.nn as nn
from torch.utils.data import DataLoader

from conll import Sentences, collate
from tagger import Tagger


class TaggerTrainer:
    def __init__(self, model, lr=1e-3, clip=5.0):
        self.model = model
        self.clip = clip
        self.criterion = nn.NLLLoss(ignore_index=-100)
        self.optimizer = torch.optim.Adam(model.parameters(), lr=lr)

    def epoch(self, loader):
        self.model.train()
        for words, suffixes, tags in loader:
            out = self.model(words, suffixes)
            loss = self.criterion(out.flatten(0, 1), tags.flatten())
            self.optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(self.model.parameters(), self.clip)
            self.optimizer.step()

    def accuracy(self, loader):
        self.model.eval()
        right = total = 0
        with torch.no_grad():
            for words, suffixes, tags in loader:
                real = tags != -100
                guess = self.model(words, suffixes).argmax(-1)
                right += (guess[real] == tags[real]).sum().item()
                total += real.sum().item()
        return right / total


if __name__ == "__main__":
    torch.manual_seed(4)
    with open("vocab.pkl", "rb") as f:
        vocab = pickle.load(f)
    train, dev = (Sentences(f"{s}.conllu", vocab["word"], vocab["suffix"], vocab["tag"])
                  for s in ("train", "dev"))
    train_loader = DataLoader(train, batch_size=32, shuffle=True, collate_fn=collate)
    dev_loader = DataLoader(dev, batch_size=64, collate_fn=collate)
    sizes = [len(vocab[k]) + 2 for k in ("word", "suffix")]
    trainer = TaggerTrainer(Tagger(*sizes, n_tags=len(vocab["tag"])))
    for ep in range(10):
        trainer.epoch(train_loader)
        print(ep, trainer.accuracy(dev_loader))
    torch.save(trainer.model.state_dict(), "tagger.pt")
