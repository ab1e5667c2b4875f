"""Edge cases of optimizer-before-device-move."""

import pytest

from trainlint.core.diagnosis import Severity

RULE = "optimizer-before-device-move"
HEAD = "import torch\nfrom torch import nn, optim\nnet = Net()\n"


@pytest.mark.parametrize(
    "source",
    [
        "opt = optim.Adagrad(net.parameters())\nnet.cuda()",
        "opt = optim.Adagrad(net.parameters())\nnet = net.to(device)",
        "opt = optim.Adagrad(net.parameters())\nnet.to('cuda:0')",
        "opt = optim.Adagrad(net.parameters())\nnet.to(torch.device('cuda'))",
        "opt = optim.Adagrad(net.parameters())\nif torch.cuda.is_available():\n    net.cuda()",
        "class T:\n    def __init__(self):\n        self.net = Net()\n        self.opt = optim.Adagrad(self.net.parameters())\n        self.net.to(self.device)",
        "opt = optim.Adam(net.parameters())\nopt.load_state_dict(torch.load(f))\nnet.to(device)",
    ],
)
def test_a_move_that_leaves_state_behind_is_a_warning(diagnoses, source):
    (found,) = diagnoses(RULE, HEAD + source)
    assert found.severity is Severity.WARNING


@pytest.mark.parametrize(
    "source",
    [
        "opt = optim.Adam(net.parameters())\nnet.cuda()\ntrain(net, opt)",
        "net = build(args)\nopt = optim.Adagrad(net.parameters())\nnet.cuda()",
        "def run(net):\n    opt = optim.Adagrad(net.parameters())\n    net.cuda()",
        "opt = optim.SGD(net.parameters(), lr=0.1)\nsched = optim.lr_scheduler.StepLR(opt, 3)\nnet = net.to(device)",
        "def run(model, device):\n    opt = optim.Adam(model.parameters())\n    model = model.to(device)\n    return opt",
    ],
)
def test_other_late_moves_are_advice(diagnoses, source):
    (found,) = diagnoses(RULE, HEAD + source)
    assert found.severity is Severity.ADVICE


@pytest.mark.parametrize(
    "source",
    [
        "net.cuda()\nopt = optim.Adagrad(net.parameters())",
        "net = Net().to(device)\nopt = optim.Adagrad(net.parameters())\nnet.to(device)",
        "net = build(device=device)\nopt = optim.Adagrad(net.parameters())\nnet.to(device)",
        "opt = optim.Adagrad(net.parameters())\ntrain(net, opt)\nnet.to(device)",
        "opt = optim.Adagrad(net.parameters())\nnet.cpu()",
        "opt = optim.Adagrad(net.parameters())\nnet.to('cpu')",
        "opt = optim.Adagrad(net.parameters())\nnet.to(torch.bfloat16)",
        "opt = optim.Adagrad(net.parameters())\nother.to(device)",
        "opt = optim.Adagrad(net.parameters())\nnet = Other()\nnet.to(device)",
        "opt = optim.Adagrad(net.parameters())\nnet.cuda()\nopt = optim.Adagrad(net.parameters())",
        "opt = optim.Adagrad(net.parameters())\nfor x in loader:\n    net.to(device)",
        "opt = optim.Adagrad(net.parameters())\nema = copy.deepcopy(net).to(device)",
        "opt = optim.Adagrad(net.parameters())\nx = x.to(device)",
    ],
)
def test_moves_in_time_of_others_and_unknown_ones_are_fine(lines, source):
    assert lines(RULE, HEAD + source) == []


def test_a_move_in_another_function_is_not_judged(lines):
    source = """
        import torch
        class T:
            def __init__(self, net):
                self.net = net
                self.opt = torch.optim.Adagrad(net.parameters())
            def evaluate(self):
                self.net.cuda()
    """
    assert lines(RULE, source) == []


def test_the_optimizer_is_shown(diagnoses):
    (found,) = diagnoses(RULE, HEAD + "opt = optim.Adagrad(net.parameters())\nnet.cuda()")
    assert [one.span.line for one in found.related] == [4]


def test_a_checkpoint_loaded_under_an_if_is_a_warning(diagnoses):
    source = """
        import torch
        model = Net()
        optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
        if args.resume:
            ckpt = torch.load(args.resume)
            model.load_state_dict(ckpt["model"])
            optimizer.load_state_dict(ckpt["optimizer"])
        model = model.to(device)
    """
    (found,) = diagnoses(RULE, source)
    assert found.severity is Severity.WARNING
    assert [one.span.line for one in found.related] == [4, 8]
