import torch


def read_conll(path):
    sentence, out = [], []
    for line in open(path, encoding="utf-8"):
        if line.strip():
            word, *_, tag = line.split()
            sentence.append((word.lower(), tag))
        elif sentence:
            out.append(sentence)
            sentence = []
    return out


def numericalise(sentences, words, tags):
    return [(torch.tensor([words.get(w, 1) for w, _ in s]), torch.tensor([tags[t] for _, t in s])) for s in sentences]
