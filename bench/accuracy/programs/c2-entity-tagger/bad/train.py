import torch
from torch import nn, optim
from torch.utils.data import DataLoader

from conll import numericalise, read_conll
from tagger import BiLSTMTagger, collate


def evaluate(model, loader, device):
    model.training = False
    right = total = 0
    with torch.no_grad():
        for words, tags, lengths in loader:
            guess = model(words.to(device), lengths).argmax(-1).cpu()
            real = tags >= 0
            right += (guess[real] == tags[real]).sum().item()
            total += real.sum().item()
    return right / total


def main(epochs=30, lr=0.015, clip=5.0, batch_size=20):
    torch.manual_seed(2003)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    train_sents, dev_sents = read_conll("eng.train"), read_conll("eng.testa")
    words = {w: i + 2 for i, w in enumerate(sorted({w for s in train_sents for w, _ in s}))}
    tags = {t: i for i, t in enumerate(sorted({t for s in train_sents for _, t in s}))}
    train_loader = DataLoader(numericalise(train_sents, words, tags), batch_size, shuffle=True, collate_fn=collate)
    dev_loader = DataLoader(numericalise(dev_sents, words, tags), 64, collate_fn=collate)

    model = BiLSTMTagger(len(words) + 2, len(tags)).to(device)
    criterion = nn.CrossEntropyLoss(ignore_index=-1)
    optimizer = optim.SGD(model.parameters(), lr=lr, momentum=0.9, nesterov=True)
    decay = optim.lr_scheduler.LambdaLR(optimizer, lambda e: 1 / (1 + 0.05 * e))

    best = 0.0
    for epoch in range(epochs):
        model.train()
        optimizer.zero_grad()
        for sentence, gold, lengths in train_loader:
            logits = model(sentence.to(device), lengths)
            loss = criterion(logits.flatten(0, 1), gold.flatten().to(device))
            loss.backward()
            optimizer.step()
            nn.utils.clip_grad_norm_(model.parameters(), clip)
        score = evaluate(model, dev_loader, device)
        print(f"{epoch:2d} loss {loss.item():.4f} dev accuracy {score:.4f}")
        if score > best:
            best = score
            torch.save(model.state_dict(), "tagger.pt")


if __name__ == "__main__":
    main()
