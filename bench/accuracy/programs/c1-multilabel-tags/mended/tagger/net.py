import torch
import torch.nn as nn


class TagNet(nn.Module):
    """Backbone from torchvision plus one hidden layer and 17 independent tags."""

    def __init__(self, backbone, feat_dim, n_tags, hidden=512):
        super().__init__()
        self.backbone = backbone
        self.neck = nn.Linear(feat_dim, hidden, bias=False)
        self.neck_bn = nn.BatchNorm1d(hidden)
        self.drop = nn.Dropout(0.3)
        self.tags = nn.Linear(hidden, n_tags)

    def forward(self, image):
        f = self.neck(self.backbone(image))
        f = self.neck_bn(f)
        f = self.drop(torch.relu(f))
        return self.tags(f)
