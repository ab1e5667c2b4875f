import torch
import torch.nn as nn


class TagNet(nn.Module):
    """Backbone from torchvision plus one hidden layer and 17 independent tags."""

    def __init__(self, backbone, feat_dim, n_tags, hidden=512):
        super().__init__()
        self.backbone = backbone
        self.neck = nn.Linear(feat_dim, hidden, bias=False)
        self.drop = nn.Dropout(0.3)
        self.tags = nn.Linear(hidden, n_tags)

    def forward(self, image):
        f = self.neck(self.backbone(image))
        f = nn.BatchNorm1d(f.shape[1]).to(f.device)(f)
        f = self.drop(torch.relu(f))
        return torch.sigmoid(self.tags(f))
