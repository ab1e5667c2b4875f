"""Edge cases of cosine-horizon-unit-mismatch."""

import pytest

RULE = "cosine-horizon-unit-mismatch"
HEAD = """\
import torch
from torch import optim
from torch.optim.lr_scheduler import CosineAnnealingLR, CosineAnnealingWarmRestarts
opt = optim.SGD(net.parameters(), lr=0.1)
"""
PER_BATCH = """
for epoch in range({range}):
    for x, y in train_loader:
        opt.zero_grad()
        loss_fn(net(x), y).backward()
        opt.step()
        sched.step()
"""
PER_EPOCH = """
for epoch in range({range}):
    for x, y in train_loader:
        opt.zero_grad()
        loss_fn(net(x), y).backward()
        opt.step()
    sched.step()
"""


@pytest.mark.parametrize(
    ("made", "epochs"),
    [
        ("sched = CosineAnnealingLR(opt, T_max=epochs)", "epochs"),
        ("sched = CosineAnnealingLR(opt, num_epochs)", "num_epochs"),
        ("sched = CosineAnnealingLR(opt, T_max=args.epochs, eta_min=1e-6)", "args.epochs"),
        ("sched = CosineAnnealingLR(opt, T_max=int(cfg.n_epochs))", "cfg.n_epochs"),
        ("sched = CosineAnnealingLR(opt, T_max=epochs - 5)", "epochs"),
        ("sched = CosineAnnealingLR(opt, T_max=200)", "200"),
        ("N = 50\nsched = CosineAnnealingLR(opt, T_max=N)", "N"),
        ("sched = CosineAnnealingLR(opt, T_max=config['epochs'])", "config['epochs']"),
        ("sched = optim.lr_scheduler.CosineAnnealingWarmRestarts(opt, T_0=epochs)", "epochs"),
    ],
)
def test_epochs_stepped_for_each_batch_are_found(lines, made, epochs):
    source = HEAD + made + PER_BATCH.format(range=epochs)
    assert lines(RULE, source) == [len(source.splitlines())]


@pytest.mark.parametrize(
    "made",
    [
        "sched = CosineAnnealingLR(opt, T_max=len(train_loader))",
        "sched = CosineAnnealingLR(opt, T_max=epochs * len(train_loader))",
        "total = len(train_loader) * epochs\nsched = CosineAnnealingLR(opt, T_max=total)",
        "sched = CosineAnnealingWarmRestarts(opt, T_0=len(train_loader))",
    ],
)
def test_batches_stepped_once_per_epoch_are_found(lines, made):
    source = HEAD + made + PER_EPOCH.format(range="epochs")
    assert lines(RULE, source) == [len(source.splitlines())]


@pytest.mark.parametrize(
    "made",
    [
        "sched = CosineAnnealingLR(opt, T_max=len(train_loader) * epochs)",
        "sched = CosineAnnealingLR(opt, T_max=epochs * steps_per_epoch)",
        "sched = CosineAnnealingLR(opt, T_max=epochs * n)",
        "sched = CosineAnnealingLR(opt, T_max=total_steps)",
        "sched = CosineAnnealingLR(opt, T_max=total_epoch_iters)",
        "epochs = args.epochs * len(train_loader)\nsched = CosineAnnealingLR(opt, T_max=epochs)",
        "sched = CosineAnnealingLR(opt, T_max=1000)",
        "sched = CosineAnnealingLR(opt, T_max=t)",
        "sched = optim.lr_scheduler.StepLR(opt, epochs)",
        "import mine\nsched = mine.CosineAnnealingLR(opt, T_max=epochs)",
        "sched = make(opt, T_max=epochs)",
    ],
)
def test_batches_unknown_units_and_other_schedules_for_each_batch_are_fine(lines, made):
    assert lines(RULE, HEAD + made + PER_BATCH.format(range=30)) == []


@pytest.mark.parametrize(
    "made",
    [
        "sched = CosineAnnealingLR(opt, T_max=epochs)",
        "sched = CosineAnnealingLR(opt, T_max=len(names))",
        "sched = CosineAnnealingLR(opt, T_max=30)",
        "sched = CosineAnnealingLR(opt, T_max=args.T_max)",
    ],
)
def test_epochs_stepped_once_per_epoch_are_fine(lines, made):
    assert lines(RULE, HEAD + made + PER_EPOCH.format(range="epochs")) == []


def test_a_trainer_with_methods_is_found(lines):
    source = """
        import torch
        class Trainer:
            def __init__(self, net, loader, epochs):
                self.net, self.loader, self.epochs = net, loader, epochs
                self.opt = torch.optim.AdamW(net.parameters())
                self.sched = torch.optim.lr_scheduler.CosineAnnealingLR(self.opt, T_max=epochs)
            def train_epoch(self):
                for x, y in self.loader:
                    self.opt.zero_grad()
                    loss_fn(self.net(x), y).backward()
                    self.opt.step()
                    self.sched.step()
            def fit(self):
                for epoch in range(self.epochs):
                    self.train_epoch()
    """
    assert lines(RULE, source) == [13]


def test_a_step_under_an_if_is_fine(lines):
    made = "sched = CosineAnnealingLR(opt, T_max=epochs)"
    loop = PER_BATCH.format(range="epochs").replace(
        "        sched.step()", "        if last:\n            sched.step()"
    )
    assert lines(RULE, HEAD + made + loop) == []


def test_a_step_that_is_told_the_epoch_is_fine(lines):
    made = "sched = CosineAnnealingWarmRestarts(opt, T_0=epochs)"
    loop = PER_BATCH.format(range="epochs").replace("sched.step()", "sched.step(epoch + i / n)")
    assert lines(RULE, HEAD + made + loop) == []


def test_a_schedule_made_anew_in_each_epoch_is_fine(lines):
    source = """
        import torch
        for epoch in range(epochs):
            sched = torch.optim.lr_scheduler.CosineAnnealingLR(opt, T_max=30)
            for x, y in loader:
                step(x, y)
                sched.step()
            for epoch in range(30):
                pass
    """
    assert lines(RULE, source) == []


def test_a_loop_over_batches_without_epochs_around_it_is_not_judged(lines):
    source = (
        HEAD
        + "sched = CosineAnnealingLR(opt, T_max=epochs)\nfor x in loader:\n    opt.step()\n    sched.step()\n"
    )
    assert lines(RULE, source) == []


def test_a_function_that_trains_one_epoch_is_found(lines):
    source = """
        import torch
        from torch.optim.lr_scheduler import CosineAnnealingLR
        def train_one_epoch(model, loader, optimizer, scheduler):
            for i, (x, y) in enumerate(tqdm(loader)):
                optimizer.zero_grad()
                loss_fn(model(x), y).backward()
                optimizer.step()
                scheduler.step()
        def main(args):
            model = Net()
            optimizer = torch.optim.AdamW(model.parameters(), lr=args.lr)
            scheduler = CosineAnnealingLR(optimizer, T_max=args.epochs)
            for epoch in range(1, args.epochs + 1):
                train_one_epoch(model, train_loader, optimizer, scheduler)
    """
    assert lines(RULE, source) == [9]
