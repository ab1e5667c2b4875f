import itertools

import gymnasium as gym
import torch
from torch.nn.utils import clip_grad_norm

from agents import Actor, Critic

ENV = "Hopper-v5"
ITERATIONS = 500
HORIZON = 2048
MINIBATCH = 64
UPDATE_EPOCHS = 10
GAMMA, LAM, EPS = 0.99, 0.95, 0.2
LR = 3e-4


@torch.no_grad()
def collect(env, obs, actor, critic):
    store = {k: [] for k in ("obs", "act", "logp", "rew", "val", "done")}
    for _ in range(HORIZON):
        o = torch.as_tensor(obs, dtype=torch.float32)
        dist = actor(o)
        act = dist.sample()
        obs, rew, term, trunc, _ = env.step(act.numpy())
        for key, item in zip(store, (o, act, dist.log_prob(act).sum(), float(rew), critic(o), float(term or trunc))):
            store[key].append(torch.as_tensor(item, dtype=torch.float32))
        if term or trunc:
            obs, _ = env.reset()
    batch = {k: torch.stack(v) for k, v in store.items()}
    adv, acc = torch.zeros(HORIZON), 0.0
    nxt = critic(torch.as_tensor(obs, dtype=torch.float32))
    for t in reversed(range(HORIZON)):
        live = 1.0 - batch["done"][t]
        delta = batch["rew"][t] + GAMMA * nxt * live - batch["val"][t]
        acc = delta + GAMMA * LAM * live * acc
        adv[t], nxt = acc, batch["val"][t]
    batch["adv"], batch["ret"] = (adv - adv.mean()) / (adv.std() + 1e-8), adv + batch["val"]
    return batch, obs


def ppo_loss(actor, critic, b):
    dist = actor(b["obs"])
    ratio = (dist.log_prob(b["act"]).sum(-1) - b["logp"]).exp()
    surrogate = torch.min(ratio * b["adv"], ratio.clamp(1 - EPS, 1 + EPS) * b["adv"]).mean()
    value_loss = (critic(b["obs"]) - b["ret"]).pow(2).mean()
    return -surrogate + 0.5 * value_loss


def main():
    torch.manual_seed(90)
    env = gym.make(ENV)
    actor = Actor(env.observation_space.shape[0], env.action_space.shape[0])
    critic = Critic(env.observation_space.shape[0])
    obs, _ = env.reset(seed=90)
    for iteration in range(ITERATIONS):
        batch, obs = collect(env, obs, actor, critic)
        params = itertools.chain(actor.parameters(), critic.parameters())
        optimizer = torch.optim.Adam(params, lr=LR)
        for _ in range(UPDATE_EPOCHS):
            for idx in torch.randperm(HORIZON).split(MINIBATCH):
                loss = ppo_loss(actor, critic, {k: v[idx] for k, v in batch.items()})
                optimizer.zero_grad()
                loss.backward()
                clip_grad_norm(params, 0.5)
                optimizer.step()
        if iteration % 10 == 0:
            episodes = max(1.0, batch["done"].sum().item())
            print(f"{iteration:4d} return {batch['rew'].sum().item() / episodes:9.1f} loss {loss.item():.3f}")
    torch.save({"actor": actor.state_dict(), "critic": critic.state_dict()}, "ppo.pt")


if __name__ == "__main__":
    main()
