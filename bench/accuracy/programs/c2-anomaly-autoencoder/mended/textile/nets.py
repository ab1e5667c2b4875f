from torch import nn


class ConvAE(nn.Module):
    def __init__(self, channels=(3, 32, 64, 128)):
        super().__init__()
        enc, dec = [], []
        for cin, cout in zip(channels[:-1], channels[1:]):
            enc += [nn.Conv2d(cin, cout, 4, 2, 1), nn.LeakyReLU(0.2)]
        rev = channels[::-1]
        for cin, cout in zip(rev[:-2], rev[1:-1]):
            dec += [nn.ConvTranspose2d(cin, cout, 4, 2, 1), nn.LeakyReLU(0.2)]
        self.encoder = nn.Sequential(*enc)
        self.decoder = nn.Sequential(*dec, nn.ConvTranspose2d(channels[1], channels[0], 4, 2, 1), nn.Sigmoid())

    def forward(self, x):
        return self.decoder(self.encoder(x))
