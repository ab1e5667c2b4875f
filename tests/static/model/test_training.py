"""Losses, optimizers, schedulers and initialisations, wherever they are held."""

from __future__ import annotations

from textwrap import dedent

import pytest

HEAD = "from torch import nn, optim\nimport torch\nimport torch.nn.functional as F\n"


@pytest.mark.parametrize(
    "source",
    [
        "criterion = nn.CrossEntropyLoss()\ncriterion(out, y)",
        "criterion = nn.CrossEntropyLoss().cuda()\ncriterion(out, y)",
        "nn.CrossEntropyLoss()(out, y)",
        "F.cross_entropy(out, y)",
        "F.cross_entropy(input=out, target=y)",
        "class T:\n    def __init__(self):\n        self.criterion = nn.CrossEntropyLoss()\n    def f(self):\n        return self.criterion(out, y)",
        "def f(loss_fn):\n    return loss_fn(out, y)\nf(nn.CrossEntropyLoss())",
        "def make(a):\n    return nn.CrossEntropyLoss()\nloss_function = make(1)\nloss_function(out, y)",
        "losses = {'ce': nn.CrossEntropyLoss()}\nlosses['ce'](out, y)",
        "from torch.nn import CrossEntropyLoss as CE\nce = CE(label_smoothing=0.1)\nce(out, y)",
    ],
)
def test_a_loss_is_found_wherever_it_is_held(model, source):
    (loss,) = model(HEAD + source).losses()
    assert loss.kind == "CrossEntropyLoss"
    assert loss.input.text == "out"
    assert loss.target.text == "y"


def test_a_criterion_that_may_be_one_of_two_is_not_guessed(model):
    file = model(HEAD + "c = nn.CrossEntropyLoss() if multi else nn.BCELoss()\nc(out, y)")
    assert file.losses() == ()


@pytest.mark.parametrize(
    "source",
    [
        "optim.SGD(net.parameters(), 0.5)",
        "optim.SGD(net.parameters(), lr=0.5)",
        "torch.optim.SGD(params=net.parameters(), lr=0.5)",
        "from torch.optim import SGD\nSGD([{'params': net.parameters()}], lr=0.5)",
        "cls = optim.SGD\ncls(net.parameters(), lr=0.5)",
        "def make(params, optimizer_class=torch.optim.SGD):\n    return optimizer_class(params, lr=0.5)\nmake(net.parameters())",
    ],
)
def test_an_optimizer_is_found_and_its_rate_read(model, source):
    (optimizer,) = model(HEAD + "net = nn.Linear(1, 1)\n" + source).optimizers()
    assert (optimizer.kind, optimizer.number("lr")) == ("SGD", 0.5)
    assert [owner.text for owner in optimizer.models] == ["net"]


def test_the_groups_of_an_optimizer_have_their_own_values(model):
    file = model(HEAD + "optim.Adam([{'params': a, 'lr': 3.0}, {'params': b}], lr=0.1)")
    found = file.optimizers()[0].given("lr")
    assert [(one.value, one.in_group) for one in found] == [(0.1, False), (3.0, True)]


def test_a_rate_of_a_group_is_for_the_parameters_of_that_group(model):
    groups = "[{'params': net.parameters()}, {'params': [scale], 'lr': 0.1}]"
    file = model(HEAD + f"optim.Adam({groups}, lr=1e-3)")
    found = file.optimizers()[0].given("lr")
    assert [one.trains_modules for one in found] == [True, False]


def test_a_given_number_is_quoted_with_its_value_where_that_stands_elsewhere(model):
    file = model(HEAD + "RATE = 0.5\noptim.SGD(p, lr=RATE)\noptim.SGD(p, lr=1e-3)")
    quoted = [one.quoted for optimizer in file.optimizers() for one in optimizer.given("lr")]
    assert quoted == ["`RATE` (0.5)", "`1e-3`"]


@pytest.mark.parametrize(
    "source",
    [
        "optim.lr_scheduler.OneCycleLR(opt, max_lr=0.1, total_steps=9)",
        "from transformers import get_scheduler\nget_scheduler('linear', optimizer=opt)",
        "class WarmupLR(optim.lr_scheduler.LRScheduler): ...\nWarmupLR(opt)",
        "from engine import adjust_learning_rate\nadjust_learning_rate(opt, 3)",
        "for group in opt.param_groups:\n    group['lr'] = 0.1",
        "for group in opt.param_groups:\n    group.update(lr=0.1)",
    ],
)
def test_a_rate_that_something_else_sets_is_idle(model, source):
    file = model(HEAD + "opt = optim.SGD(net.parameters(), lr=0.5)\n" + source)
    assert file.optimizers()[0].rate_is_idle


@pytest.mark.parametrize(
    "source",
    [
        "",
        "optim.lr_scheduler.StepLR(opt, 3)",
        "print(get_lr(opt))",
        "settings.update(lr=0.1)",
        "other = optim.SGD(q, lr=1.0)\noptim.lr_scheduler.OneCycleLR(other, 0.1)",
        "optim.lr_scheduler.OneCycleLR(opt, max_lr=0.5, total_steps=9)",
    ],
)
def test_a_rate_that_nothing_else_sets_is_used(model, source):
    file = model(HEAD + "opt = optim.SGD(net.parameters(), lr=0.5)\n" + source)
    assert not file.optimizers()[0].rate_is_idle


@pytest.mark.parametrize(
    ("source", "depth"),
    [
        ("net = nn.Sequential(nn.Linear(4, 4), nn.ReLU(), nn.Linear(4, 4))", 2),
        (
            """
class Heads(nn.Module):
    def __init__(self):
        super().__init__()
        self.a = nn.Linear(4, 2)
        self.b = nn.Linear(4, 1)
    def forward(self, x):
        return self.a(x), self.b(x)
net = Heads()
""",
            1,
        ),
        ("net = load()", 0),
    ],
)
def test_the_depth_of_what_is_optimised_is_the_longest_way_that_is_known(model, source, depth):
    file = model(HEAD + source + "\noptim.Adam(net.parameters())")
    assert file.optimizers()[0].depth == depth


def test_a_scheduler_knows_the_optimizer_that_it_drives(model):
    file = model(
        HEAD + "a = optim.SGD(p, lr=1.0)\nb = optim.SGD(q, lr=1.0)\n"
        "s = optim.lr_scheduler.StepLR(a, 3)\nask(a)\nask(b)\nask(c)"
    )
    (scheduler,) = file.schedulers()
    asked = [call.args[0] for call in file.method_calls("ask")]
    assert [scheduler.drives(one) for one in asked] == [True, False, False]
    assert [scheduler.may_step(one) for one in asked] == [True, False, True]


INIT = (
    HEAD
    + """class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(1, 8, 3)
        self.fc = nn.Linear(8, 8)
        self.out = nn.Linear(8, 2)
        {init}
    def forward(self, x):
        return self.out(F.relu(self.fc(self.conv(x))))
    {methods}
{after}
"""
)


def init(model, init="pass", methods="", after=""):
    return model(INIT.format(init=init, methods=methods, after=after)).init_calls()


@pytest.mark.parametrize(
    ("parts", "lines"),
    [
        ({"init": "nn.init.xavier_uniform_(self.fc.weight)"}, [8]),
        ({"init": "torch.nn.init.xavier_uniform_(self.fc.weight.data)"}, [8]),
        (
            {
                "init": "for m in self.modules():\n            if isinstance(m, nn.Linear):\n                nn.init.xavier_uniform_(m.weight)"
            },
            [8, 9],
        ),
        (
            {
                "init": "for m in self.modules():\n            if isinstance(m, (nn.Linear, nn.Conv2d)):\n                nn.init.xavier_uniform_(m.weight)"
            },
            [7, 8, 9],
        ),
        (
            {
                "init": "for m in self.modules():\n            if isinstance(m, nn.Conv2d):\n                pass\n            elif isinstance(m, nn.Linear):\n                nn.init.xavier_uniform_(m.weight)"
            },
            [8, 9],
        ),
        (
            {
                "init": "self.apply(self._init)",
                "methods": "def _init(self, m):\n        if isinstance(m, nn.Linear):\n            nn.init.xavier_uniform_(m.weight)",
            },
            [8, 9],
        ),
        (
            {
                "after": "def init(m):\n    name = m.__class__.__name__\n    if name.find('Conv') != -1:\n        nn.init.xavier_uniform_(m.weight.data)\nnet = Net()\nnet.apply(init)"
            },
            [7],
        ),
        (
            {
                "after": "def init(m):\n    if type(m) == nn.Linear:\n        nn.init.xavier_uniform_(m.weight)\nNet().apply(init)"
            },
            [8, 9],
        ),
        (
            {
                "init": "for p in self.parameters():\n            if p.dim() > 1:\n                nn.init.xavier_uniform_(p)"
            },
            [7, 8, 9],
        ),
        (
            {
                "init": "for l in [self.fc, self.out]:\n            nn.init.xavier_uniform_(l.weight)"
            },
            [8, 9],
        ),
        ({"after": "net = Net()\nnn.init.xavier_uniform_(net.fc.weight)"}, [8]),
        ({"after": "def init(m):\n    nn.init.xavier_uniform_(m.weight)"}, []),
    ],
)
def test_an_initialisation_knows_the_layers_that_it_reaches(model, parts, lines):
    (found,) = init(model, **parts)
    assert found.scheme == "xavier_uniform"
    assert sorted(layer.call.line for layer in found.layers) == lines


def test_an_initialisation_by_a_method_of_the_tensor_is_one(model):
    (found,) = init(model, init="self.fc.weight.data.normal_(0.0, 0.02)")
    assert (found.scheme, found.number("std"), found.parameter) == ("normal", 0.02, "weight")


def test_the_bounds_of_a_uniform_are_read_by_position(model):
    (found,) = init(model, init="self.fc.weight.data.uniform_(-0.1, 0.1)")
    assert (found.number("a"), found.number("b")) == (-0.1, 0.1)


def test_a_loss_that_a_caller_elsewhere_chooses_is_noted_as_unresolved(model):
    file = model(HEAD + "def train(criterion, out, y):\n    return criterion(out, y)")
    assert file.losses() == ()
    assert [(one.expression, one.reason) for one in file.unresolved] == [
        ("criterion", "which loss this is")
    ]


def test_an_output_that_cannot_be_followed_is_noted_as_unresolved(model):
    file = model(HEAD + "def f(model, x, y):\n    return F.cross_entropy(model(x), y)")
    file.producers(file.losses()[0].input)
    assert [one.expression for one in file.unresolved] == ["model(x)"]


def test_a_rate_that_cannot_be_followed_is_noted_as_unresolved(model):
    file = model(HEAD + "optim.SGD(net.parameters(), lr=choose())")
    assert file.optimizers()[0].number("lr") is None
    assert [one.expression for one in file.unresolved] == ["choose()"]


@pytest.mark.parametrize(
    "held",
    [
        "def step(loss_fn):\n    return loss_fn(z, y)\nstep(F.cross_entropy)",
        "def step(loss_fn=F.cross_entropy):\n    return loss_fn(z, y)",
        "LOSSES = {'ce': F.cross_entropy}\nloss_fn = LOSSES['ce']\nloss_fn(z, y)",
        """
        class T:
            def __init__(self, f=F.cross_entropy):
                self.loss_fn = f
            def go(self):
                return self.loss_fn(z, y)
        """,
    ],
)
def test_a_loss_function_is_a_loss_wherever_it_is_held(model, held):
    file = model(f"import torch.nn.functional as F\n{dedent(held)}\n")
    assert [one.kind for one in file.losses()] == ["CrossEntropyLoss"]


def test_a_function_that_is_one_of_several_losses_is_not_guessed(model):
    file = model(
        "import torch.nn.functional as F\n"
        "loss_fn = F.cross_entropy if classes else F.mse_loss\nloss_fn(z, y)\n"
    )
    assert file.losses() == ()
