import torch.nn as nn


class DeepSurrogate(nn.Module):
    """Maps the 21 inputs of the detector simulation to the log rates of its 6 counters."""

    def __init__(self, n_in=21, n_out=6, width=256, n_layers=12):
        super().__init__()
        layers = []
        dim = n_in
        for _ in range(n_layers):
            layers += [nn.Linear(dim, width), nn.ReLU()]
            dim = width
        layers.append(nn.Linear(dim, n_out))
        self.layers = nn.Sequential(*layers)

    def forward(self, x):
        return self.layers(x)
