import torch
from torch import nn


class Encoder(nn.Module):
    def __init__(self, latent, hidden=400):
        super().__init__()
        self.fc = nn.Linear(784, hidden)
        self.fc_extra = nn.Linear(hidden, hidden)
        self.mu = nn.Linear(hidden, latent)
        self.logvar = nn.Linear(hidden, latent)

    def forward(self, x):
        h = torch.relu(self.fc(x.flatten(1)))
        return self.mu(h), self.logvar(h)


class Decoder(nn.Module):
    def __init__(self, latent, hidden=400):
        self.fc = nn.Linear(latent, hidden)
        self.out = nn.Linear(hidden, 784)

    def forward(self, z):
        return torch.sigmoid(self.out(torch.relu(self.fc(z))))
