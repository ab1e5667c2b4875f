from torch import nn

from .frontend import SpectrogramNet


class KeywordSpotter(nn.Module):
    def __init__(self, n_words, hidden=128):
        super().__init__()
        self.frontend = SpectrogramNet()
        self.gate = nn.Sequential(
            nn.Linear(self.frontend.out_dim, self.frontend.out_dim),
            nn.ReLU(),
            nn.Sigmoid(),
        )
        self.classifier = nn.Sequential(
            nn.Linear(self.frontend.out_dim, hidden),
            nn.ReLU(),
            nn.Dropout(0.4),
            nn.Linear(hidden, n_words),
        )

    def forward(self, mel):
        f = self.frontend(mel)
        return self.classifier(f * self.gate(f))
