import torch
from torch import nn
from torch.distributions import Normal


def tower(sizes, gain_out):
    layers = []
    for a, b in zip(sizes[:-2], sizes[1:-1]):
        lin = nn.Linear(a, b)
        nn.init.orthogonal_(lin.weight, 2 ** 0.5)
        layers += [lin, nn.Tanh()]
    last = nn.Linear(sizes[-2], sizes[-1])
    nn.init.orthogonal_(last.weight, gain_out)
    return nn.Sequential(*layers, last)


class Actor(nn.Module):
    def __init__(self, n_obs, n_act):
        super().__init__()
        self.mean = tower([n_obs, 64, 64, n_act], 0.01)
        self.log_std = nn.Parameter(torch.zeros(n_act))

    def forward(self, obs):
        return Normal(self.mean(obs), self.log_std.exp())


class Critic(nn.Module):
    def __init__(self, n_obs):
        super().__init__()
        self.value = tower([n_obs, 64, 64, 1], 1.0)

    def forward(self, obs):
        return self.value(obs).squeeze(-1)
