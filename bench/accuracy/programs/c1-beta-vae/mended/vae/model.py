import torch
import torch.nn.functional as F
from torch import nn

from .modules import Decoder, Encoder


class BetaVAE(nn.Module):
    def __init__(self, latent=20, beta=4.0, device="cpu"):
        super().__init__()
        self.beta = beta
        self.encoder = Encoder(latent)
        self.decoder = Decoder(latent)
        # mean of the prior, learned (the rest of it stays a unit Gaussian)
        self.prior_mu = nn.Parameter(torch.zeros(latent, device=device))

    def reparameterise(self, mu, logvar):
        if not self.training:
            return mu
        return mu + torch.randn_like(mu) * torch.exp(0.5 * logvar)

    def forward(self, x):
        mu, logvar = self.encoder(x)
        return self.decoder(self.reparameterise(mu, logvar)), mu, logvar

    def loss(self, recon, x, mu, logvar):
        bce = F.binary_cross_entropy_with_logits(recon, x.flatten(1), reduction="sum")
        kld = -0.5 * torch.sum(1 + logvar - (mu - self.prior_mu).pow(2) - logvar.exp())
        return (bce + self.beta * kld) / len(x)
