import torch
import torch.nn as nn
import torch.nn.functional as F


class ConvBN(nn.Sequential):
    def __init__(self, cin, cout, stride=1):
        super().__init__(
            nn.Conv2d(cin, cout, 3, stride, 1, bias=False),
            nn.BatchNorm2d(cout),
            nn.LeakyReLU(0.1, inplace=True),
        )


class GridDetector(nn.Module):
    """Predicts objectness and a box (cx, cy, w, h) for each cell of a 16x16 grid."""

    def __init__(self):
        super().__init__()
        self.backbone = nn.Sequential(
            ConvBN(3, 32, 2), ConvBN(32, 64, 2), ConvBN(64, 128, 2), ConvBN(128, 256, 2),
        )
        self.objectness = nn.Conv2d(256, 1, 1)
        self.boxes = nn.Conv2d(256, 4, 1)

    def forward(self, image):
        f = self.backbone(image)
        return self.objectness(f), self.boxes(f)


def detection_loss(pred, target, box_weight=5.0):
    obj_logit, box = pred
    obj, gt_box = target["obj"], target["box"]
    obj_loss = F.binary_cross_entropy_with_logits(obj_logit, obj, pos_weight=obj.new_tensor(8.0))
    mask = obj.expand_as(box).bool()
    if mask.any():
        box_loss = F.smooth_l1_loss(box[mask], gt_box[mask])
    else:
        box_loss = box.sum() * 0.0
    return obj_loss + box_weight * box_loss
