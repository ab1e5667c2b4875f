import random

import torch
from torch import nn, optim
from torch.utils.data import DataLoader
import torchvision.datasets as dset
import torchvision.transforms as transforms
import torchvision.utils as vutils

from nets import Discriminator, Generator

SEED = 999
IMAGE_SIZE = 64
BATCH = 128
NZ = 100
EPOCHS = 25
LR = 2e-4

random.seed(SEED)
torch.manual_seed(SEED)
device = torch.device("cuda:0" if torch.cuda.is_available() else "cpu")

dataset = dset.ImageFolder(
    "data/celeba",
    transform=transforms.Compose([
        transforms.Resize(IMAGE_SIZE),
        transforms.CenterCrop(IMAGE_SIZE),
        transforms.ToTensor(),
        transforms.Normalize((0.5, 0.5, 0.5), (0.5, 0.5, 0.5)),
    ]),
)
dataloader = DataLoader(dataset, batch_size=BATCH, shuffle=True, num_workers=2, drop_last=True)

G = Generator(NZ).to(device)
D = Discriminator().to(device)
criterion = nn.BCEWithLogitsLoss()
optim_d = optim.Adam(D.parameters(), lr=LR, betas=(0.5, 0.999))
optim_g = optim.Adam(G.parameters(), lr=LR, betas=(0.5, 0.999))
fixed_noise = torch.randn(64, NZ, 1, 1, device=device)

for epoch in range(EPOCHS):
    G.train()
    for i, (real, _) in enumerate(dataloader):
        real = real.to(device)
        n = real.size(0)
        ones = torch.ones(n, device=device)
        zeros = torch.zeros(n, device=device)

        # (1) maximise log(D(x)) + log(1 - D(G(z)))
        optim_d.zero_grad()
        fake = G(torch.randn(n, NZ, 1, 1, device=device))
        err_d = criterion(D(real), ones) + criterion(D(fake.detach()), zeros)
        err_d.backward()
        optim_d.step()

        # (2) maximise log(D(G(z)))
        optim_g.zero_grad()
        err_g = criterion(D(fake), ones)
        err_g.backward()
        optim_g.step()

        if i % 50 == 0:
            print(f"[{epoch}/{EPOCHS}][{i}/{len(dataloader)}] D {err_d.item():.4f} G {err_g.item():.4f}")

    G.eval()
    with torch.no_grad():
        grid = vutils.make_grid(G(fixed_noise).cpu(), normalize=True)
    vutils.save_image(grid, f"samples_{epoch:03d}.png")
    torch.save({"epoch": epoch, "G": G.state_dict(), "D": D.state_dict(),
                "optim_g": optim_g.state_dict(), "optim_d": optim_d.state_dict()}, "gan.ckpt")
