"""Edge cases of lbfgs-without-closure."""

import pytest

RULE = "lbfgs-without-closure"
HEAD = "import torch\nfrom torch import nn, optim\n"


@pytest.mark.parametrize(
    ("source", "line"),
    [
        ("opt = optim.LBFGS(net.parameters())\nopt.step()", 4),
        (
            "opt = torch.optim.LBFGS([x])\nfor i in range(9):\n    loss.backward()\n    opt.step()",
            6,
        ),
        ("from torch.optim import LBFGS as L\nopt = L(net.parameters())\nopt.step()", 5),
        (
            "class T:\n    def __init__(self):\n        self.opt = optim.LBFGS(net.parameters())\n    def fit(self):\n        self.opt.step()",
            7,
        ),
        (
            "def train(opt):\n    opt.step()\ntrain(optim.LBFGS(net.parameters()))",
            4,
        ),
        (
            "def make(net):\n    return optim.LBFGS(net.parameters())\nopt = make(net)\nopt.step()",
            6,
        ),
    ],
)
def test_a_step_without_an_argument_is_found(lines, source, line):
    assert lines(RULE, HEAD + source) == [line]


@pytest.mark.parametrize(
    "source",
    [
        "opt = optim.LBFGS(net.parameters())\nopt.step(closure)",
        "opt = optim.LBFGS(net.parameters())\nif isinstance(opt, optim.LBFGS):\n    opt.step(closure)\nelse:\n    opt.step()",
        "def fit(opt=None):\n    if opt is None:\n        opt = optim.LBFGS(net.parameters())\n    opt.step()",
        "opt = optim.LBFGS(net.parameters())\nopt.step(closure=closure)",
        "opt = optim.LBFGS(net.parameters())\nopt.step(lambda: loss())",
        "opt = optim.LBFGS(net.parameters())\nopt.step(*args)",
        "opt = optim.LBFGS(net.parameters())\nopt.step(**given)",
        "opt = optim.Adam(net.parameters())\nother = optim.LBFGS(net.parameters())\nopt.step()",
        "opt = optim.LBFGS(net.parameters()) if small else optim.Adam(net.parameters())\nopt.step()",
        "if small:\n    opt = optim.LBFGS(net.parameters())\nelse:\n    opt = optim.Adam(net.parameters())\nopt.step()",
        "from mine import LBFGS\nopt = LBFGS(net.parameters())\nopt.step()",
        "opt = optim.LBFGS(net.parameters())\nsched = optim.lr_scheduler.StepLR(opt, 3)\nsched.step()",
        "opt = get(name)\nopt.step()\noptim.LBFGS(net.parameters())",
        "import pytest\nopt = optim.LBFGS(net.parameters())\nwith pytest.raises(TypeError):\n    opt.step()",
    ],
)
def test_closures_other_optimizers_and_unknown_ones_are_fine(lines, source):
    assert lines(RULE, HEAD + source) == []
