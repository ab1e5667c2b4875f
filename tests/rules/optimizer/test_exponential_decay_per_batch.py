"""Edge cases of exponential-decay-per-batch."""

import pytest

RULE = "exponential-decay-per-batch"
HEAD = """\
import torch
from torch import optim
from torch.optim.lr_scheduler import ExponentialLR
opt = optim.SGD(net.parameters(), lr=0.1)
"""
PER_BATCH = """
for epoch in range(epochs):
    for x, y in train_loader:
        opt.zero_grad()
        loss_fn(net(x), y).backward()
        opt.step()
        sched.step()
"""


@pytest.mark.parametrize(
    "made",
    [
        "sched = ExponentialLR(opt, 0.9)",
        "sched = ExponentialLR(opt, gamma=0.99)",
        "GAMMA = 0.95\nsched = optim.lr_scheduler.ExponentialLR(opt, GAMMA)",
        "sched = ExponentialLR(optimizer=opt, gamma=1 - 0.05)",
    ],
)
def test_a_decay_for_epochs_stepped_for_each_batch_is_found(lines, made):
    source = HEAD + made + PER_BATCH
    assert lines(RULE, source) == [len(source.splitlines())]


@pytest.mark.parametrize(
    "made",
    [
        "sched = ExponentialLR(opt, 0.9999)",
        "sched = ExponentialLR(opt, gamma=1.1)",
        "sched = ExponentialLR(opt, gamma=args.gamma)",
        "sched = ExponentialLR(opt, gamma=0.1 ** (1 / steps))",
        "sched = optim.lr_scheduler.StepLR(opt, 30, gamma=0.9)",
        "sched = make(opt, gamma=0.9)",
        "import mine\nsched = mine.ExponentialLR(opt, 0.9)",
    ],
)
def test_factors_for_batches_unknown_ones_and_other_schedules_are_fine(lines, made):
    assert lines(RULE, HEAD + made + PER_BATCH) == []


def test_a_loop_through_a_progress_bar_is_found(lines):
    source = (
        HEAD
        + "sched = ExponentialLR(opt, 0.9)"
        + PER_BATCH.replace("in train_loader", "in tqdm(train_loader)")
    )
    assert lines(RULE, source) == [11]


def test_a_trainer_with_methods_is_found(lines):
    source = """
        import torch
        class Trainer:
            def __init__(self, net, loader):
                self.net, self.loader = net, loader
                self.opt = torch.optim.Adam(net.parameters())
                self.sched = torch.optim.lr_scheduler.ExponentialLR(self.opt, gamma=0.95)
            def train_epoch(self):
                for x, y in self.loader:
                    self.opt.zero_grad()
                    loss_fn(self.net(x), y).backward()
                    self.opt.step()
                    self.sched.step()
    """
    assert lines(RULE, source) == [13]


def test_a_step_once_per_epoch_is_fine(lines):
    source = (
        HEAD
        + "sched = ExponentialLR(opt, 0.9)"
        + PER_BATCH.replace("        sched.step()", "    sched.step()")
    )
    assert lines(RULE, source) == []


def test_a_step_under_an_if_is_fine(lines):
    source = (
        HEAD
        + "sched = ExponentialLR(opt, 0.9)"
        + PER_BATCH.replace(
            "        sched.step()", "        if step % 1000 == 0:\n            sched.step()"
        )
    )
    assert lines(RULE, source) == []


def test_a_loop_that_ends_early_is_fine(lines):
    source = (
        HEAD
        + "sched = ExponentialLR(opt, 0.9)"
        + PER_BATCH
        + "        if step > 20:\n            break\n"
    )
    assert lines(RULE, source) == []


def test_a_loop_that_is_not_seen_to_go_through_a_loader_is_not_judged(lines):
    source = (
        HEAD
        + "sched = ExponentialLR(opt, 0.9)\nfor i in range(20):\n    opt.step()\n    sched.step()\n"
    )
    assert lines(RULE, source) == []


def test_the_bound_can_be_set(lines):
    source = HEAD + "sched = ExponentialLR(opt, 0.999)" + PER_BATCH
    assert lines(RULE, source, gamma=0.999) == [11]


def test_a_schedule_that_accelerate_prepares_is_found(lines):
    source = """
        import torch
        from accelerate import Accelerator
        accelerator = Accelerator()
        opt = torch.optim.AdamW(net.parameters())
        sched = torch.optim.lr_scheduler.ExponentialLR(opt, gamma=0.95)
        net, opt, train_dataloader, sched = accelerator.prepare(net, opt, train_dataloader, sched)
        for epoch in range(3):
            for batch in train_dataloader:
                accelerator.backward(net(batch))
                opt.step()
                sched.step()
                opt.zero_grad()
    """
    assert lines(RULE, source) == [12]
