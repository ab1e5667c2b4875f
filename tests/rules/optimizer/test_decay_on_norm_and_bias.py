"""Edge cases of decay-on-norm-and-bias."""

import pytest

RULE = "decay-on-norm-and-bias"
HEAD = """\
import torch
from torch import nn, optim
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(9, 9)
        self.norm = nn.BatchNorm1d(9)
    def forward(self, x):
        return self.norm(self.fc(x))
net = Net()
"""


@pytest.mark.parametrize(
    "source",
    [
        "optim.AdamW(net.parameters(), weight_decay=0.1)",
        "optim.SGD(params=net.parameters(), lr=0.1, weight_decay=5e-4)",
        "params = net.parameters()\noptim.AdamW(params, weight_decay=0.1)",
        "net = Net().to(device)\noptim.AdamW(net.parameters(), weight_decay=0.1)",
        "seq = nn.Sequential(nn.Linear(9, 9), nn.LayerNorm(9))\noptim.AdamW(seq.parameters(), weight_decay=0.1)",
        "WD = 0.1\noptim.AdamW(net.parameters(), weight_decay=WD)",
        "seq = nn.Sequential(nn.Conv2d(3, 8, 3), nn.InstanceNorm2d(8, affine=True))\noptim.Adam(seq.parameters(), weight_decay=0.1)",
    ],
)
def test_a_decay_for_all_of_a_model_with_norms_is_found(lines, source):
    assert len(lines(RULE, HEAD + source)) == 1


@pytest.mark.parametrize(
    "source",
    [
        "optim.AdamW(net.parameters(), weight_decay=0)",
        "optim.AdamW(net.parameters())",
        "optim.AdamW(net.parameters(), weight_decay=args.wd)",
        "optim.AdamW([p for p in net.parameters() if p.ndim > 1], weight_decay=0.1)",
        "optim.AdamW([{'params': net.parameters(), 'weight_decay': 0.1}])",
        "optim.AdamW(decayed, weight_decay=0.1)",
        "plain = nn.Linear(9, 9)\noptim.AdamW(plain.parameters(), weight_decay=0.1)",
        "other = resnet50()\noptim.AdamW(other.parameters(), weight_decay=0.1)",
        "seq = nn.Sequential(nn.Linear(9, 9), nn.BatchNorm1d(9, affine=False))\noptim.Adam(seq.parameters(), weight_decay=0.1)",
        "seq = nn.Sequential(nn.Linear(9, 9), nn.LayerNorm(9, elementwise_affine=False))\noptim.Adam(seq.parameters(), weight_decay=0.1)",
        "seq = nn.Sequential(nn.Conv2d(3, 8, 3), nn.InstanceNorm2d(8))\noptim.Adam(seq.parameters(), weight_decay=0.1)",
        "from mine import AdamW\nAdamW(net.parameters(), weight_decay=0.1)",
    ],
)
def test_groups_filters_models_without_scales_and_unknown_ones_are_fine(lines, source):
    assert lines(RULE, HEAD + source) == []


def test_the_layer_with_the_scales_is_shown(diagnoses):
    (found,) = diagnoses(RULE, HEAD + "optim.AdamW(net.parameters(), weight_decay=0.1)")
    assert [one.span.line for one in found.related] == [7]
