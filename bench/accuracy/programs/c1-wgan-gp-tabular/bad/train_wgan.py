import numpy as np
import torch
from torch import autograd, optim
from torch.utils.data import DataLoader

from nets import Generator, make_critic

N_NOISE = 16
N_CRITIC = 5
LAMBDA = 10.0
LR = 1e-4
BATCH = 128
STEPS = 20_000


def cycle(loader):
    while True:
        yield from loader


def gradient_penalty(D, real, fake):
    eps = torch.rand(real.size(0), 1, device=real.device)
    mix = (eps * real + (1 - eps) * fake).requires_grad_(True)
    (grad,) = autograd.grad(D(mix).sum(), mix, create_graph=True)
    return ((grad.norm(2, dim=1) - 1) ** 2).mean()


def main():
    torch.manual_seed(1234)
    dev = "cuda" if torch.cuda.is_available() else "cpu"
    angles = torch.from_numpy(np.load("torsion_angles.npy")).float()
    loader = cycle(DataLoader(angles, batch_size=BATCH, shuffle=True, drop_last=True))

    G = Generator(N_NOISE, angles.shape[1]).to(dev)
    D = make_critic(angles.shape[1]).to(dev)
    opt_g = optim.Adam(G.parameters(), lr=LR, betas=(0.0, 0.9))
    opt_d = optim.Adam(D.parameters(), lr=LR, betas=(0.0, 0.9))

    for step in range(STEPS):
        for _ in range(N_CRITIC):
            real = next(loader).to(dev)
            with torch.no_grad():
                fake = G(torch.randn(BATCH, N_NOISE, device=dev))
            d_loss = D(fake).mean() - D(real).mean() + LAMBDA * gradient_penalty(D, real, fake)
            opt_d.zero_grad()
            d_loss.backward()
            opt_d.step()

        g_loss = -D(G(torch.randn(BATCH, N_NOISE, device=dev))).mean()
        opt_g.zero_grad()
        g_loss.backward()
        opt_g.step()

        if step % 500 == 0:
            print(f"{step:6d}  critic {d_loss.item():8.4f}  generator {g_loss.item():8.4f}")

    torch.save({"G": G.state_dict(), "D": D.state_dict(),
                "opt_g": opt_g.state_dict(), "opt_d": opt_d.state_dict()}, "wgan.pt")


if __name__ == "__main__":
    main()
