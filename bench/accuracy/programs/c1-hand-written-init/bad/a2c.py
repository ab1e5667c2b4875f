"""Advantage actor-critic on CartPole, weights drawn by our own formulas."""
import math

import gymnasium as gym
import torch
import torch.nn as nn
from torch.distributions import Categorical

GAMMA = 0.99
LR = 7e-4
N_STEPS = 32
UPDATES = 4000
ENTROPY = 0.01


def he_uniform(layer):
    """He initialisation, uniform version, for the layers in front of ReLU."""
    fan_in = layer.weight.size(1)
    std = math.sqrt(2.0 / fan_in)
    layer.weight.data.uniform_(-std, std)
    layer.bias.data.zero_()


def glorot_normal(layer):
    """Glorot initialisation, normal version, for the two linear heads."""
    fan_out, fan_in = layer.weight.shape
    nn.init.normal_(layer.weight, 0.0, math.sqrt(6.0 / (fan_in + fan_out)))
    nn.init.zeros_(layer.bias)


class ActorCritic(nn.Module):
    def __init__(self, n_obs, n_actions, n_hidden=128):
        super().__init__()
        self.fc1 = nn.Linear(n_obs, n_hidden)
        self.fc2 = nn.Linear(n_hidden, n_hidden)
        self.pi = nn.Linear(n_hidden, n_actions)
        self.v = nn.Linear(n_hidden, 1)
        he_uniform(self.fc1)
        he_uniform(self.fc2)
        glorot_normal(self.pi)
        glorot_normal(self.v)

    def forward(self, obs):
        h = torch.relu(self.fc1(obs))
        h = torch.relu(self.fc2(h))
        return Categorical(logits=self.pi(h)), self.v(h).squeeze(-1)


def returns_from(rewards, dones, bootstrap):
    out, R = [], bootstrap
    for r, d in zip(reversed(rewards), reversed(dones)):
        R = r + GAMMA * R * (1.0 - d)
        out.append(R)
    return torch.tensor(out[::-1])


def main():
    torch.manual_seed(10)
    env = gym.make("CartPole-v1")
    policy = ActorCritic(env.observation_space.shape[0], env.action_space.n)
    optimizer = torch.optim.RMSprop(policy.parameters(), lr=LR, alpha=0.9)
    obs, _ = env.reset(seed=10)
    ep_return, finished = 0.0, []

    for update in range(UPDATES):
        log_probs, values, entropies, rewards, dones = [], [], [], [], []
        for _ in range(N_STEPS):
            dist, value = policy(torch.as_tensor(obs, dtype=torch.float32))
            action = dist.sample()
            obs, reward, terminated, truncated, _ = env.step(action.item())
            log_probs.append(dist.log_prob(action))
            values.append(value)
            entropies.append(dist.entropy())
            rewards.append(float(reward))
            dones.append(float(terminated))
            ep_return += float(reward)
            if terminated or truncated:
                finished.append(ep_return)
                ep_return = 0.0
                obs, _ = env.reset()

        with torch.no_grad():
            _, last = policy(torch.as_tensor(obs, dtype=torch.float32))
        targets = returns_from(rewards, dones, last.item())
        values = torch.stack(values)
        advantage = targets - values
        actor = -(torch.stack(log_probs) * advantage.detach()).mean()
        loss = actor + 0.5 * advantage.pow(2).mean() - ENTROPY * torch.stack(entropies).mean()

        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(policy.parameters(), 0.5)
        optimizer.step()
        if update % 100 == 0 and finished:
            print(update, sum(finished[-20:]) / len(finished[-20:]))


if __name__ == "__main__":
    main()
