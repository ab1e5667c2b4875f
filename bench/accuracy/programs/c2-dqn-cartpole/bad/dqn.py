"""Deep Q-learning on a Gymnasium environment."""
import random
from collections import deque, namedtuple
from dataclasses import dataclass

import gymnasium as gym
import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F

Transition = namedtuple("Transition", "state action reward next_state done")


@dataclass
class Config:
    env_id: str = "CartPole-v1"
    gamma: float = 0.99
    lr: float = 3e4
    batch_size: int = 64
    capacity: int = 50_000
    episodes: int = 600
    eps_start: float = 1.0
    eps_end: float = 0.05
    eps_decay: float = 0.995
    sync_every: int = 500
    seed: int = 3


class QNet(nn.Module):
    def __init__(self, n_obs, n_actions):
        super().__init__()
        self.fc1 = nn.Linear(n_obs, 128)
        self.fc2 = nn.Linear(128, 128)
        self.out = nn.Linear(128, n_actions)

    def forward(self, s):
        s = F.relu(self.fc1(s))
        s = F.relu(self.fc2(s))
        return self.out(s)


class Agent:
    def __init__(self, n_obs, n_actions, cfg):
        self.cfg = cfg
        self.n_actions = n_actions
        self.online = QNet(n_obs, n_actions)
        self.target = QNet(n_obs, n_actions)
        self.target.load_state_dict(self.online.state_dict())
        self.opt = torch.optim.Adam(self.online.parameters(), lr=cfg.lr)
        self.memory = deque(maxlen=cfg.capacity)
        self.eps = cfg.eps_start
        self.updates = 0

    def act(self, state):
        if random.random() < self.eps:
            return random.randrange(self.n_actions)
        with torch.no_grad():
            return int(self.online(torch.as_tensor(state)).argmax())

    def learn(self):
        if len(self.memory) < self.cfg.batch_size:
            return None
        batch = Transition(*zip(*random.sample(self.memory, self.cfg.batch_size)))
        state = torch.as_tensor(np.stack(batch.state))
        action = torch.as_tensor(batch.action).unsqueeze(1)
        reward = torch.as_tensor(batch.reward, dtype=torch.float32)
        nxt = torch.as_tensor(np.stack(batch.next_state))
        done = torch.as_tensor(batch.done, dtype=torch.float32)

        q = self.online(state).gather(1, action).squeeze(1)
        q_next = self.target(nxt).max(dim=1).values
        expected = reward + self.cfg.gamma * (1 - done) * q_next
        expected.detach()
        loss = F.smooth_l1_loss(q, expected)
        loss.backward()
        nn.utils.clip_grad_norm_(self.online.parameters(), 10.0)
        self.opt.step()

        self.updates += 1
        if self.updates % self.cfg.sync_every == 0:
            self.target.load_state_dict(self.online.state_dict())
        return loss.item()


def main(cfg=Config()):
    random.seed(cfg.seed)
    torch.manual_seed(cfg.seed)
    env = gym.make(cfg.env_id)
    agent = Agent(env.observation_space.shape[0], env.action_space.n, cfg)
    for episode in range(cfg.episodes):
        state, _ = env.reset(seed=cfg.seed + episode)
        total, done = 0.0, False
        while not done:
            action = agent.act(state)
            nxt, reward, terminated, truncated, _ = env.step(action)
            done = terminated or truncated
            agent.memory.append(Transition(state, action, reward, nxt, terminated))
            agent.learn()
            state, total = nxt, total + reward
        agent.eps = max(cfg.eps_end, agent.eps * cfg.eps_decay)
        if episode % 20 == 0:
            print(f"episode {episode} return {total:.0f} eps {agent.eps:.2f}")


if __name__ == "__main__":
    main()
