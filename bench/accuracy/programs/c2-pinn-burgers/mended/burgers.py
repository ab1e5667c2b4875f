"""u_t + u u_x = (0.01 / pi) u_xx on [-1, 1] x [0, 1], u(x, 0) = -sin(pi x)."""
import math

import numpy as np
import torch
from torch import autograd, nn

NU = 0.01 / math.pi
torch.manual_seed(1234)
np.random.seed(1234)
device = torch.device("cuda" if torch.cuda.is_available() else "cpu")


class PINN(nn.Module):
    def __init__(self, width=40):
        super().__init__()
        self.l1 = nn.Linear(2, width)
        self.l2 = nn.Linear(width, width)
        self.l3 = nn.Linear(width, width)
        self.out = nn.Linear(width, 1)

    def forward(self, xt):
        h = torch.tanh(self.l1(xt))
        h = torch.tanh(self.l2(h))
        h = torch.tanh(self.l3(h))
        return self.out(h)


def grad(y, x):
    return autograd.grad(y, x, grad_outputs=torch.ones_like(y), create_graph=True)[0]


def residual(net, xt):
    xt = xt.clone().requires_grad_(True)
    u = net(xt)
    du = grad(u, xt)
    u_x, u_t = du[:, :1], du[:, 1:]
    u_xx = grad(u_x, xt)[:, :1]
    return u_t + u * u_x - NU * u_xx


def sample(n_inner=8000, n_edge=200):
    inner = torch.rand(n_inner, 2) * torch.tensor([2.0, 1.0]) - torch.tensor([1.0, 0.0])
    x0 = torch.rand(n_edge, 1) * 2 - 1
    start = torch.cat([x0, torch.zeros_like(x0)], dim=1)
    side = torch.sign(torch.rand(n_edge, 1) - 0.5)
    edge = torch.cat([side, torch.rand(n_edge, 1)], dim=1)
    points = torch.cat([start, edge])
    values = torch.cat([-torch.sin(math.pi * x0), torch.zeros(n_edge, 1)])
    return inner.to(device), points.to(device), values.to(device)


net = PINN().to(device)
inner, points, values = sample()
mse = nn.MSELoss()


def total_loss():
    return mse(net(points), values) + residual(net, inner).pow(2).mean()


# phase 1: first order, to get near
warm = torch.optim.Adam(net.parameters(), lr=1e-3)
for step in range(5000):
    warm.zero_grad()
    loss = total_loss()
    loss.backward()
    nn.utils.clip_grad_norm_(net.parameters(), 0.5)
    warm.step()
    if step % 500 == 0:
        print(f"warm-up {step:5d}  {loss.item():.3e}")

# phase 2: quasi-Newton polish
lbfgs = torch.optim.LBFGS(net.parameters(), max_iter=20, history_size=50, line_search_fn="strong_wolfe")


def closure():
    lbfgs.zero_grad()
    loss = total_loss()
    loss.backward()
    return loss


for step in range(200):
    loss = lbfgs.step(closure)
    if step % 20 == 0:
        print(f"L-BFGS {step:4d}  {loss.item():.3e}")

torch.save(net.state_dict(), "burgers.pt")
