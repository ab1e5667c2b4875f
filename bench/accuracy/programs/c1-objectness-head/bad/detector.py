import torch.nn as nn

from head import DetectionHead


class TinyDetector(nn.Module):
    def __init__(self, widths=(32, 64, 128, 192)):
        super().__init__()
        blocks, cin = [], 3
        for w in widths:
            blocks += [
                nn.Conv2d(cin, w, 3, stride=2, padding=1, bias=False),
                nn.BatchNorm2d(w),
                nn.ReLU(inplace=True),
            ]
            cin = w
        self.backbone = nn.Sequential(*blocks)
        self.head = DetectionHead(cin)

    def forward(self, images):
        return self.head(self.backbone(images))
