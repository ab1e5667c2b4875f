import logging

import torch
from torch import nn
from torch.utils.data import DataLoader
from torchvision.models import ResNet18_Weights, resnet18

from amazon import AmazonTags  # our data set, 17 tags as a float vector
from tagger import Engine, TagNet


def main():
    logging.basicConfig(level=logging.INFO)
    torch.manual_seed(0)
    weights = ResNet18_Weights.DEFAULT
    backbone = resnet18(weights=weights)
    backbone.fc = nn.Identity()
    net = TagNet(backbone, feat_dim=512, n_tags=17)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    net.to(device)
    optim = torch.optim.Adam([
        {"params": net.backbone.parameters(), "lr": 1e-4},
        {"params": [p for n, p in net.named_parameters() if not n.startswith("backbone")], "lr": 1e-3},
    ])
    train = AmazonTags("train", weights.transforms())
    val = AmazonTags("val", weights.transforms())
    engine = Engine(net, optim, device)
    engine.fit(
        DataLoader(train, batch_size=48, shuffle=True, num_workers=6),
        DataLoader(val, batch_size=96, num_workers=6),
        epochs=12,
        cut=0.2,
    )


if __name__ == "__main__":
    main()
