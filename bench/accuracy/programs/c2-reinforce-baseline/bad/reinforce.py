import argparse

import gymnasium as gym
import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.distributions import Categorical
from torch.optim import RMSprop


def mlp(n_in, n_out, hidden=128):
    return nn.Sequential(nn.Linear(n_in, hidden), nn.ReLU(), nn.Linear(hidden, n_out))


def rollout(env, policy, seed=None):
    obs, _ = env.reset(seed=seed)
    states, log_probs, rewards = [], [], []
    finished = False
    while not finished:
        state = torch.as_tensor(obs, dtype=torch.float32)
        dist = Categorical(logits=policy(state))
        action = dist.sample()
        obs, reward, terminated, truncated, _ = env.step(action.item())
        finished = terminated or truncated
        states.append(state)
        log_probs.append(dist.log_prob(action))
        rewards.append(float(reward))
    return torch.stack(states), torch.stack(log_probs), rewards


def discounted(rewards, gamma):
    out, acc = [], 0.0
    for r in reversed(rewards):
        acc = r + gamma * acc
        out.append(acc)
    return torch.tensor(out[::-1])


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("--env", default="LunarLander-v3")
    ap.add_argument("--episodes", type=int, default=3000)
    ap.add_argument("--gamma", type=float, default=0.99)
    ap.add_argument("--lr", type=float, default=7e-4)
    ap.add_argument("--seed", type=int, default=543)
    args = ap.parse_args()

    torch.manual_seed(args.seed)
    env = gym.make(args.env)
    policy = mlp(env.observation_space.shape[0], env.action_space.n)
    baseline = mlp(env.observation_space.shape[0], 1)
    policy_opt = RMSprop(policy.parameters(), lr=args.lr, alpha=0.5)
    baseline_opt = RMSprop(baseline.parameters(), lr=args.lr, alpha=0.99)

    running = None
    for episode in range(args.episodes):
        torch.manual_seed(543)
        states, log_probs, rewards = rollout(env, policy)
        returns = discounted(rewards, args.gamma)

        with torch.no_grad():
            values = baseline(states).squeeze(-1)
            value_loss = F.mse_loss(values, returns)
        baseline_opt.zero_grad()
        value_loss.backward()
        baseline_opt.step()

        advantage = returns - values
        policy_loss = -(log_probs * advantage).sum()
        policy_loss.backward()
        policy_opt.zero_grad()
        policy_opt.step()

        score = sum(rewards)
        running = score if running is None else 0.95 * running + 0.05 * score
        if episode % 50 == 0:
            print(f"episode {episode:5d}  last {score:8.1f}  average {running:8.1f}")
    env.close()


if __name__ == "__main__":
    main()
