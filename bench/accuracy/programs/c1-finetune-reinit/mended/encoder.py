import torch.nn as nn


def conv_bn_act(c_in, c_out, stride=1):
    return nn.Sequential(
        nn.Conv2d(c_in, c_out, 3, stride=stride, padding=1, bias=False),
        nn.BatchNorm2d(c_out),
        nn.ReLU(inplace=True),
    )


class Encoder(nn.Module):
    """The backbone that was pre-trained with SimCLR (see pretrain/)."""

    def __init__(self, width=64):
        super().__init__()
        self.body = nn.Sequential(
            conv_bn_act(3, width),
            conv_bn_act(width, width * 2, stride=2),
            conv_bn_act(width * 2, width * 4, stride=2),
            conv_bn_act(width * 4, width * 4, stride=2),
        )
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.out_dim = width * 4

    def forward(self, x):
        return self.pool(self.body(x)).flatten(1)


class Classifier(nn.Module):
    def __init__(self, encoder, n_classes):
        super().__init__()
        self.encoder = encoder
        self.fc = nn.Linear(encoder.out_dim, n_classes)

    def forward(self, x):
        return self.fc(self.encoder(x))


def init_weights(m):
    if isinstance(m, nn.Conv2d):
        nn.init.kaiming_normal_(m.weight, mode="fan_out", nonlinearity="relu")
    elif isinstance(m, nn.BatchNorm2d):
        nn.init.ones_(m.weight)
        nn.init.zeros_(m.bias)
