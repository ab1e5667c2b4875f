"""Deep Q-learning for LunarLander-v2 with a target network and a replay memory."""
import random
from collections import deque, namedtuple

import gymnasium as gym
import torch
import torch.nn.functional as F
from torch import nn

Transition = namedtuple("Transition", "state action reward next_state done")

HP = dict(gamma=0.99, lr=5e-4, batch=64, memory=50_000, warmup=1_000, tau=0.005,
          eps_start=1.0, eps_end=0.05, eps_decay=0.995, episodes=600, hidden=128)


class QNet(nn.Module):
    def __init__(self, n_obs, n_act, hidden):
        super().__init__()
        self.fc1 = nn.Linear(n_obs, hidden)
        self.fc2 = nn.Linear(hidden, hidden)
        self.value = nn.Linear(hidden, 1)
        self.advantage = nn.Linear(hidden, n_act)
        for fc in (self.fc1, self.fc2):
            nn.init.constant_(fc.weight, 0.01)
            nn.init.zeros_(fc.bias)

    def forward(self, obs):
        h = F.relu(self.fc1(obs))
        h = F.relu(self.fc2(h))
        return self.advantage(h)


class Agent:
    def __init__(self, n_obs, n_act, hp):
        self.hp, self.n_act, self.eps = hp, n_act, hp["eps_start"]
        self.q = QNet(n_obs, n_act, hp["hidden"])
        self.q_target = QNet(n_obs, n_act, hp["hidden"])
        self.q_target.load_state_dict(self.q.state_dict())
        self.q_target.eval()
        self.memory = deque(maxlen=hp["memory"])
        self.optim = torch.optim.Adam(self.q.parameters(), lr=hp["lr"])

    def act(self, obs):
        if random.random() < self.eps:
            return random.randrange(self.n_act)
        with torch.no_grad():
            return int(self.q(torch.as_tensor(obs)).argmax())

    def learn(self):
        if len(self.memory) < self.hp["warmup"]:
            return
        batch = Transition(*zip(*random.sample(self.memory, self.hp["batch"])))
        obs = torch.stack(batch.state)
        nxt = torch.stack(batch.next_state)
        act = torch.tensor(batch.action).unsqueeze(1)
        rew = torch.tensor(batch.reward)
        alive = 1.0 - torch.tensor(batch.done)

        q_now = self.q(obs).gather(1, act).squeeze()
        with torch.no_grad():
            q_next = self.q_target(nxt).max(dim=1).values
            target = rew + self.hp["gamma"] * alive * q_next
        loss = F.smooth_l1_loss(q_now, target)

        self.optim.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(self.q.parameters(), 10.0)
        self.optim.step()
        self.soft_update()

    @torch.no_grad()
    def soft_update(self):
        for slow, fast in zip(self.q_target.parameters(), self.q.parameters()):
            slow.lerp_(fast, self.hp["tau"])


def main():
    torch.manual_seed(2)
    random.seed(2)
    env = gym.make("LunarLander-v2")
    agent = Agent(env.observation_space.shape[0], env.action_space.n, HP)
    scores = deque(maxlen=100)
    for episode in range(HP["episodes"]):
        obs, _ = env.reset(seed=episode)
        score, over = 0.0, False
        while not over:
            action = agent.act(obs)
            nxt, reward, terminated, truncated, _ = env.step(action)
            over = terminated or truncated
            agent.memory.append(Transition(torch.as_tensor(obs), action, float(reward),
                                           torch.as_tensor(nxt), float(terminated)))
            agent.learn()
            obs, score = nxt, score + reward
        agent.eps = max(HP["eps_end"], agent.eps * HP["eps_decay"])
        scores.append(score)
        if episode % 20 == 0:
            print(episode, sum(scores) / len(scores))
    torch.save(agent.q.state_dict(), "lander.pt")


if __name__ == "__main__":
    main()
