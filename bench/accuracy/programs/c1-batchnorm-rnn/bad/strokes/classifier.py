from torch import nn

from .cell import NormRNN


class StrokeClassifier(nn.Module):
    def __init__(self, n_letters, n_hidden=160, p=0.3):
        super().__init__()
        self.rnn = NormRNN(3, n_hidden)  # dx, dy, pen down
        self.drop = nn.Dropout(p)
        self.out = nn.Sequential(nn.Linear(n_hidden, 64), nn.Linear(64, n_letters))

    def forward(self, strokes):
        return self.out(self.drop(self.rnn(strokes)))
