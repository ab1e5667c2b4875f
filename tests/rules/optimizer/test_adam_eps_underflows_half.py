"""Edge cases of adam-eps-underflows-half."""

import pytest

RULE = "adam-eps-underflows-half"
HEAD = "import torch\nfrom torch import nn, optim\n"


@pytest.mark.parametrize(
    "source",
    [
        "net = nn.Linear(9, 9)\nnet.half()\noptim.Adam(net.parameters())",
        "net = nn.Linear(9, 9).half()\noptim.AdamW(net.parameters(), lr=1e-4)",
        "net = nn.Linear(9, 9).cuda().half()\noptim.Adam(net.parameters(), eps=1e-8)",
        "net = nn.Linear(9, 9).half().to(device)\noptim.Adam(net.parameters())",
        "net = Net()\nnet = net.to(torch.float16)\noptim.NAdam(net.parameters())",
        "net = Net()\nnet.to(device, dtype=torch.half)\noptim.Adam(net.parameters())",
        "net = Net().to('cuda', torch.float16)\noptim.RMSprop(net.parameters())",
        "net = AutoModel.from_pretrained(name, torch_dtype=torch.float16)\noptim.AdamW(net.parameters())",
        "class T:\n    def __init__(self, net):\n        self.net = net\n        self.net.half()\n        self.opt = optim.Adam(self.net.parameters())",
    ],
)
def test_a_model_that_is_surely_half_is_found(lines, source):
    assert len(lines(RULE, HEAD + source)) == 1


@pytest.mark.parametrize(
    "source",
    [
        "net = Net()\noptim.Adam(net.parameters())\nhalf = 0.5",
        "net = Net().half()\noptim.Adam(net.parameters(), eps=1e-4)",
        "net = Net().half()\noptim.Adam(net.parameters(), eps=args.eps)",
        "net = Net().half()\noptim.Adam(net.parameters(), **settings)",
        "net = Net().bfloat16()\noptim.Adam(net.parameters())\nhalf = 0.5",
        "net = Net().half().float()\noptim.Adam(net.parameters())",
        "net = Net()\nnet.half()\nnet.float()\noptim.Adam(net.parameters())",
        "net = Net()\noptim.Adam(net.parameters())\nnet.half()",
        "net = Net()\nif args.fp16:\n    net.half()\noptim.Adam(net.parameters())",
        "net = Net().half()\noptim.Adam(net.parameters(), fused=True)",
        "net = Net().half()\noptim.SGD(net.parameters(), lr=0.1)",
        "net = Net().half()\noptim.Adadelta(net.parameters())",
        "net = Net().half()\nmaster = [p.float() for p in net.parameters()]\noptim.Adam(net.parameters())",
        "net = Net().half()\nfor p in net.base.parameters():\n    p.requires_grad = False\noptim.Adam(net.parameters())",
        "from peft import get_peft_model\nnet = Net().half()\noptim.Adam(net.parameters())",
        "net = Net()\nx = x.half()\noptim.Adam(net.parameters())",
        "net = get_model(torch.float16)\noptim.Adam(net.parameters())",
    ],
)
def test_what_is_not_surely_half_or_has_an_epsilon_that_stays_is_fine(lines, source):
    assert lines(RULE, HEAD + source) == []


def test_a_model_halved_in_a_function_of_its_own_is_not_judged(lines):
    source = """
        import torch
        def export(net):
            net.half()
            return net
        def main():
            net = Net()
            opt = torch.optim.Adam(net.parameters())
    """
    assert lines(RULE, source) == []


def test_the_place_of_the_conversion_is_shown(diagnoses):
    (found,) = diagnoses(RULE, HEAD + "net = Net()\nnet.half()\noptim.Adam(net.parameters())")
    assert found.span.line == 5
    assert [one.span.line for one in found.related] == [4]


def test_the_bound_can_be_set(lines):
    source = HEAD + "net = Net().half()\noptim.Adam(net.parameters(), eps=1e-7)"
    assert lines(RULE, source) == []
    assert lines(RULE, source, smallest=1e-6) == [4]
