"""Edge cases of scheduler-never-stepped."""

import pytest

RULE = "scheduler-never-stepped"
HEAD = """\
import torch
from torch import optim
from torch.optim.lr_scheduler import StepLR
opt = optim.SGD(net.parameters(), lr=0.1)
"""
LOOP = """
for epoch in range(epochs):
    for x, y in loader:
        opt.zero_grad()
        loss_fn(net(x), y).backward()
        opt.step()
"""


@pytest.mark.parametrize(
    "made",
    [
        "sched = StepLR(opt, 10)",
        "sched = optim.lr_scheduler.CosineAnnealingLR(opt, T_max=9)",
        "StepLR(opt, 10)",
        "sched: StepLR = StepLR(opt, step_size=3)",
        "sched = StepLR(opt, 3)\nsched.load_state_dict(state)",
        "sched = StepLR(opt, 3)\nprint(sched.get_last_lr())",
        "scheduler = optim.lr_scheduler.ReduceLROnPlateau(opt)",
    ],
)
def test_a_scheduler_that_nothing_steps_is_found(lines, made):
    assert lines(RULE, HEAD + made + LOOP) == [5]


def test_one_in_a_function_beside_another_function_that_steps_its_own_is_found(lines):
    source = """
        import torch
        def one():
            opt = torch.optim.Adam(net.parameters())
            scheduler = torch.optim.lr_scheduler.StepLR(opt, 3)
            for x, y in loader:
                opt.zero_grad()
                loss_fn(net(x), y).backward()
                opt.step()
        def two():
            opt = torch.optim.Adam(net.parameters())
            scheduler = torch.optim.lr_scheduler.StepLR(opt, 3)
            for x, y in loader:
                opt.zero_grad()
                loss_fn(net(x), y).backward()
                opt.step()
                scheduler.step()
    """
    assert lines(RULE, source) == [5]


def test_a_loop_in_a_function_that_gets_the_optimizer_only_is_found(lines):
    source = """
        import torch
        def train(net, opt):
            for x, y in loader:
                opt.zero_grad()
                loss_fn(net(x), y).backward()
                opt.step()
        def main():
            opt = torch.optim.Adam(net.parameters())
            scheduler = torch.optim.lr_scheduler.StepLR(opt, 3)
            for epoch in range(9):
                train(net, opt)
    """
    assert lines(RULE, source) == [10]


@pytest.mark.parametrize(
    "made",
    [
        "sched = StepLR(opt, 10)\nsched.step()",
        "sched = StepLR(opt, 10)\ntrain(net, opt, sched)",
        "sched = StepLR(opt, 10)\ncallbacks = [Rate(sched)]",
        "sched = StepLR(opt, 10)\nscheds = [sched]",
        "warm = StepLR(opt, 10)\nsched = optim.lr_scheduler.SequentialLR(opt, [warm], [3])\nsched.step()",
        "sched = {'sched': StepLR(opt, 10)}",
        "scheds = [StepLR(opt, 10)]",
        "train(StepLR(opt, 10))",
        "sched = StepLR(opt, 10)\nstep = sched.step",
        "sched = other = StepLR(opt, 10)\nother.step()",
        "sched = StepLR(opt, 10)\nrun(**locals())",
        "self.sched = StepLR(opt, 10)",
        "import mine\nsched = mine.StepLR(opt, 10)",
        "sched = StepLR(another, 10)",
    ],
)
def test_one_that_something_else_may_step_is_fine(lines, made):
    assert lines(RULE, HEAD + made + LOOP) == []


def test_one_that_a_function_steps_as_a_global_is_fine(lines):
    source = HEAD + "sched = StepLR(opt, 10)\ndef after():\n    sched.step()\n" + LOOP
    assert lines(RULE, source) == []


def test_one_that_is_returned_is_fine(lines):
    source = """
        import torch
        def make(net):
            opt = torch.optim.Adam(net.parameters())
            sched = torch.optim.lr_scheduler.StepLR(opt, 3)
            return opt, sched
        opt, sched = make(net)
        for x, y in loader:
            opt.zero_grad()
            loss_fn(net(x), y).backward()
            opt.step()
    """
    assert lines(RULE, source) == []


def test_one_in_an_attribute_may_be_stepped_by_another_file(lines):
    source = """
        import torch
        class Trainer:
            def __init__(self, net):
                self.opt = torch.optim.Adam(net.parameters())
                self.sched = torch.optim.lr_scheduler.StepLR(self.opt, 3)
            def fit(self):
                for x, y in self.loader:
                    self.opt.zero_grad()
                    loss_fn(net(x), y).backward()
                    self.opt.step()
    """
    assert lines(RULE, source) == []


def test_a_file_without_a_loop_is_not_judged(lines):
    assert lines(RULE, HEAD + "sched = StepLR(opt, 10)\n") == []


def test_a_test_need_not_step(lines):
    assert lines(RULE, HEAD + "sched = StepLR(opt, 10)" + LOOP, path="test_it.py") == []


def test_one_made_in_a_function_that_returns_only_the_optimizer_is_found(lines):
    source = """
        import torch
        def build(args):
            optimizer = torch.optim.Adam(net.parameters(), lr=args.lr)
            scheduler = torch.optim.lr_scheduler.StepLR(optimizer, 10)
            return optimizer
        def main(args):
            optimizer = build(args)
            for x, y in loader:
                optimizer.zero_grad()
                loss_fn(net(x), y).backward()
                optimizer.step()
    """
    assert lines(RULE, source) == [5]
