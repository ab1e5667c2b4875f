import torch.nn as nn


class CharLM(nn.Module):
    def __init__(self, vocab_size, emb=64, hidden=256, dropout=0.3):
        super().__init__()
        self.embed = nn.Embedding(vocab_size, emb)
        self.rnn = nn.LSTM(emb, hidden, num_layers=1, batch_first=True)
        self.drop = nn.Dropout(dropout)
        self.decoder = nn.Linear(hidden, vocab_size)

    def forward(self, tokens, state=None):
        out, state = self.rnn(self.embed(tokens), state)
        return self.decoder(self.drop(out)), state
