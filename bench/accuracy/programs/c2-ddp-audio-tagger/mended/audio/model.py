from torch import nn


class AudioTagger(nn.Module):
    def __init__(self, tags=50):
        super().__init__()
        self.conv = nn.Sequential(
            nn.Conv2d(1, 32, 5, stride=2, bias=False), nn.BatchNorm2d(32), nn.ReLU(),
            nn.Conv2d(32, 64, 3, stride=2, bias=False), nn.BatchNorm2d(64), nn.ReLU(),
            nn.Conv2d(64, 128, 3, stride=2, bias=False), nn.BatchNorm2d(128), nn.ReLU(),
        )
        self.pool = nn.AdaptiveMaxPool2d(1)
        self.fc = nn.Linear(128, tags)

    def forward(self, mel):
        return self.fc(self.pool(self.conv(mel)).flatten(1))
