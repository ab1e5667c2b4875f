import math

from torch import nn
from torch.nn import init


def mlp(n_in, n_out, width=128, slope=0.2):
    return nn.Sequential(
        nn.Linear(n_in, width),
        nn.LeakyReLU(slope),
        nn.Linear(width, width),
        nn.LeakyReLU(slope),
        nn.Linear(width, n_out),
    )


def make_critic(n_features):
    D = mlp(n_features, 1)
    for m in D.modules():
        if isinstance(m, nn.Linear):
            init.kaiming_uniform_(m.weight, a=math.sqrt(5))
            init.zeros_(m.bias)
    return D


class Generator(nn.Module):
    def __init__(self, n_noise, n_features):
        super().__init__()
        self.trunk = nn.Sequential(nn.Linear(n_noise, 128), nn.ReLU(), nn.Linear(128, 128), nn.ReLU())
        self.out = nn.Linear(128, n_features)
        init.xavier_uniform(self.out.weight)
        self.bound = math.pi

    def forward(self, z):
        return self.bound * self.out(self.trunk(z)).tanh()
