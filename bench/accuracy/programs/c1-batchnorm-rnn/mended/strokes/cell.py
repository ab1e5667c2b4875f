import torch
from torch import nn


class NormRNN(nn.Module):
    """Elman network over (B, T, n_in) with a norm inside the recurrence."""

    def __init__(self, n_in, n_hidden):
        super().__init__()
        self.n_hidden = n_hidden
        self.w_x = nn.Linear(n_in, n_hidden, bias=False)
        self.w_h = nn.Linear(n_hidden, n_hidden, bias=False)
        self.norm = nn.LayerNorm(n_hidden)
        nn.init.orthogonal_(self.w_h.weight)

    def forward(self, strokes):
        h = strokes.new_zeros(strokes.size(0), self.n_hidden)
        for t in range(strokes.size(1)):
            h = torch.tanh(self.norm(self.w_x(strokes[:, t]) + self.w_h(h)))
        return h
