"""Edge cases of steplr-never-fires."""

import pytest

RULE = "steplr-never-fires"
HEAD = """\
import torch
from torch import optim
from torch.optim.lr_scheduler import MultiStepLR, StepLR
opt = optim.SGD(net.parameters(), lr=0.1)
"""
LOOP = """
for epoch in range({}):
    train(net, opt)
    sched.step()
"""


@pytest.mark.parametrize(
    ("made", "epochs"),
    [
        ("sched = StepLR(opt, 100)", "20"),
        ("sched = StepLR(opt, step_size=30, gamma=0.1)", "30"),
        ("sched = optim.lr_scheduler.StepLR(opt, 30)", "1, 11"),
        ("sched = MultiStepLR(opt, [60, 90])", "50"),
        ("sched = MultiStepLR(opt, milestones=(100, 150), gamma=0.1)", "90"),
        ("sched = StepLR(opt, 30)\nEPOCHS = 10", "EPOCHS"),
    ],
)
def test_a_first_drop_behind_the_end_is_found(lines, made, epochs):
    assert lines(RULE, HEAD + made + LOOP.format(epochs)) == [5]


@pytest.mark.parametrize(
    ("made", "epochs"),
    [
        ("sched = StepLR(opt, 7)", "20"),
        ("sched = StepLR(opt, 19)", "20"),
        ("sched = MultiStepLR(opt, [30, 90])", "50"),
        ("sched = StepLR(opt, 100)", "epochs"),
        ("sched = StepLR(opt, args.step)", "20"),
        ("sched = MultiStepLR(opt, [first, 90])", "20"),
        ("sched = StepLR(opt, 1000000)", "20"),
        ("sched = StepLR(opt, 100)", "1"),
        ("sched = optim.lr_scheduler.ExponentialLR(opt, 0.9)", "20"),
        ("import mine\nsched = mine.StepLR(opt, 100)", "20"),
        ("sched = StepLR(opt, 100)\nresume(sched)", "20"),
    ],
)
def test_drops_in_time_unknown_numbers_and_switched_off_schedules_are_fine(lines, made, epochs):
    assert lines(RULE, HEAD + made + LOOP.format(epochs)) == []


def test_a_step_for_each_batch_of_unknown_number_is_not_counted(lines):
    source = (
        HEAD
        + "sched = StepLR(opt, 100)\nfor e in range(9):\n    for x in loader:\n        opt.step()\n        sched.step()\n"
    )
    assert lines(RULE, source) == []


def test_the_rounds_of_nested_loops_are_multiplied(lines):
    made = "sched = StepLR(opt, {})\nfor e in range(9):\n    for i in range(100):\n        opt.step()\n        sched.step()\n"
    assert lines(RULE, HEAD + made.format(500)) == []
    assert lines(RULE, HEAD + made.format(900)) == [5]


def test_two_loops_one_after_the_other_are_added_up(lines):
    source = HEAD + "sched = StepLR(opt, 30)" + LOOP.format(20) + LOOP.format(20)
    assert lines(RULE, source) == []


def test_a_loop_around_the_making_of_the_schedule_does_not_count(lines):
    source = """
        import torch
        for fold in range(5):
            opt = torch.optim.SGD(net.parameters(), lr=0.1)
            sched = torch.optim.lr_scheduler.StepLR(opt, 30)
            for epoch in range(20):
                train(net, opt)
                sched.step()
    """
    assert lines(RULE, source) == [5]


def test_a_trainer_with_methods_is_found(lines):
    source = """
        import torch
        class Trainer:
            def __init__(self, net):
                self.opt = torch.optim.Adam(net.parameters())
                self.sched = torch.optim.lr_scheduler.StepLR(self.opt, step_size=50)
            def fit(self):
                for epoch in range(10):
                    self.train_epoch()
                    self.sched.step()
    """
    assert lines(RULE, source) == [6]


def test_a_method_that_another_file_calls_in_a_loop_is_not_counted(lines):
    source = """
        import torch
        class Trainer:
            def __init__(self, net):
                self.opt = torch.optim.Adam(net.parameters())
                self.sched = torch.optim.lr_scheduler.StepLR(self.opt, step_size=50)
            def some_steps(self):
                for i in range(10):
                    self.opt.step()
                    self.sched.step()
    """
    assert lines(RULE, source) == []


def test_a_loop_that_can_only_end_earlier_is_found(lines):
    source = HEAD + "sched = StepLR(opt, 30)" + LOOP.format(20) + "    if stop():\n        break\n"
    assert lines(RULE, source) == [5]


def test_a_test_may_use_what_it_likes(lines):
    source = HEAD + "sched = StepLR(opt, 30)" + LOOP.format(20)
    assert lines(RULE, source, path="test_it.py") == []


def test_the_default_of_a_function_that_trains_is_counted(lines):
    source = """
        import torch
        def train_model(model, optimizer, scheduler, num_epochs=10):
            for epoch in range(num_epochs):
                fit(model, optimizer)
                scheduler.step()
        opt = torch.optim.SGD(net.parameters(), lr=0.01)
        sched = torch.optim.lr_scheduler.StepLR(opt, step_size=30)
        train_model(net, opt, sched)
    """
    assert lines(RULE, source) == [8]
