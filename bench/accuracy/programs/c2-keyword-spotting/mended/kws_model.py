import torch.nn as nn


def ds_block(cin, cout, stride=1):
    """Depthwise separable convolution over time."""
    return nn.Sequential(
        nn.Conv1d(cin, cin, 9, stride=stride, padding=4, groups=cin, bias=False),
        nn.BatchNorm1d(cin),
        nn.ReLU(),
        nn.Conv1d(cin, cout, 1, bias=False),
        nn.BatchNorm1d(cout),
        nn.ReLU(),
    )


class KeywordNet(nn.Module):
    def __init__(self, n_words, width=96):
        super().__init__()
        self.blocks = nn.Sequential(ds_block(40, width), ds_block(width, width, 2), ds_block(width, width, 2))
        self.pool = nn.AdaptiveAvgPool1d(1)
        self.fc = nn.Linear(width, n_words)

    def forward(self, mfcc):
        return self.fc(self.pool(self.blocks(mfcc)).squeeze(2))
